import { describe, expect, test } from "vitest";
import { axisTaps, TAPS_UNIT } from "../../../../compositor-page/compositor/planar/axis-taps.ts";
import { MemoryPicture } from "../../../../compositor-page/compositor/planar/memory-picture.ts";
import type { PictureBuffer } from "../../../../compositor-page/compositor/planar/picture-buffer.ts";
import { PictureScaler } from "../../../../compositor-page/compositor/planar/picture-scaler.ts";
import { PictureMemory } from "../../../../compositor-page/kernels/picture-memory.ts";

const memory = new PictureMemory();
const pictureBuffer = (width: number, height: number) => MemoryPicture.of(memory, width, height);

/** [source width, height, output width, height]: each tap count, both directions, odd chroma, remainders of four rows and columns. */
const SCALES = [
	[64, 48, 64, 48],
	[64, 48, 32, 24],
	[96, 60, 32, 20],
	[128, 64, 32, 16],
	[120, 100, 20, 10],
	[96, 54, 64, 36],
	[90, 70, 62, 46],
	[1280, 720, 358, 202],
	[32, 18, 64, 36],
	[34, 22, 102, 90],
	[64, 20, 32, 60],
	[20, 64, 58, 30],
	[2, 2, 16, 16],
	[16, 16, 2, 2],
] as const;

describe("scaling a picture", () => {
	test.each(SCALES)("%ix%i to %ix%i agrees with the definition", (sourceWidth, sourceHeight, width, height) => {
		const source = pictureBuffer(sourceWidth, sourceHeight);
		fillWithNoise(source.bytes);
		const output = pictureBuffer(width + 10, height + 6);
		output.bytes.fill(99);
		const target = { x: 4, y: 2, width, height };
		new PictureScaler(memory).scale(source, output, target);
		for (const plane of [0, 1, 2] as const) {
			const shift = plane === 0 ? 0 : 1;
			const expected = scaleByDefinition(
				rowsOf(source, plane, 0, 0, sourceWidth >> shift, sourceHeight >> shift),
				width >> shift,
				height >> shift,
			);
			const got = rowsOf(output, plane, 4 >> shift, 2 >> shift, width >> shift, height >> shift);
			expect(largestDifference(got, expected)).toBeLessThanOrEqual(2);
		}
		expect(pixelsOutside(output, target).every((value) => value === 99)).toBe(true);
	});

	test("keeps a flat picture as it is, black and white too", () => {
		const scaler = new PictureScaler(memory);
		for (const [sourceWidth, sourceHeight, width, height] of SCALES) {
			for (const level of [0, 16, 77, 235, 255]) {
				const source = pictureBuffer(sourceWidth, sourceHeight);
				source.bytes.fill(level);
				const output = pictureBuffer(width, height);
				scaler.scale(source, output, { x: 0, y: 0, width, height });
				expect(
					rowsOf(output, 0, 0, 0, width, height)
						.flat()
						.every((value) => value === level),
				).toBe(true);
				expect(
					rowsOf(output, 2, 0, 0, width >> 1, height >> 1)
						.flat()
						.every((value) => value === level),
				).toBe(true);
			}
		}
	});

	test("does not remember the picture before", () => {
		const scaler = new PictureScaler(memory);
		const target = { x: 0, y: 0, width: 30, height: 18 };
		const large = pictureBuffer(200, 120);
		large.bytes.fill(200);
		scaler.scale(large, pictureBuffer(30, 18), target);
		const small = pictureBuffer(20, 12);
		small.bytes.fill(50);
		const output = pictureBuffer(30, 18);
		scaler.scale(small, output, target);
		expect(
			rowsOf(output, 0, 0, 0, 30, 18)
				.flat()
				.every((value) => value === 50),
		).toBe(true);
	});
});

test.each([
	[1280, 320],
	[1920, 1280],
	[641, 640],
	[4096, 17],
	[17, 4096],
	[3, 1000],
	[1, 9],
])("weights for %i to %i samples add up to one and stay inside the source", (sourceLength, outputLength) => {
	const { count, start, weights } = axisTaps(sourceLength, outputLength);
	for (let index = 0; index < outputLength; index++) {
		const own = weights.subarray(index * count, (index + 1) * count);
		expect(own.reduce((sum, weight) => sum + weight, 0)).toBe(TAPS_UNIT);
		expect((start[index] ?? 0) + count).toBeLessThanOrEqual(sourceLength);
	}
});

/** Area average or linear interpolation in floating point, straight from what the words mean. */
function scaleByDefinition(rows: number[][], width: number, height: number): number[][] {
	const narrowed = rows.map((row) => scaleLine(row, width));
	const columns = Array.from({ length: width }, (_, x) =>
		scaleLine(
			narrowed.map((row) => row[x] ?? 0),
			height,
		),
	);
	return Array.from({ length: height }, (_, y) => columns.map((column) => column[y] ?? 0));
}

function scaleLine(line: readonly number[], length: number): number[] {
	const ratio = line.length / length;
	return Array.from({ length }, (_, index) =>
		ratio > 1 ? mean(line, index * ratio, (index + 1) * ratio) : between(line, (index + 0.5) * ratio - 0.5),
	);
}

function mean(line: readonly number[], from: number, to: number): number {
	let sum = 0;
	for (let sample = 0; sample < line.length; sample++) {
		sum += (line[sample] ?? 0) * Math.max(0, Math.min(sample + 1, to) - Math.max(sample, from));
	}
	return sum / (to - from);
}

function between(line: readonly number[], position: number): number {
	const at = Math.min(Math.max(position, 0), line.length - 1);
	const left = Math.floor(at);
	const right = Math.min(left + 1, line.length - 1);
	return (line[left] ?? 0) * (1 - (at - left)) + (line[right] ?? 0) * (at - left);
}

function rowsOf(
	picture: PictureBuffer,
	plane: 0 | 1 | 2,
	x: number,
	y: number,
	width: number,
	height: number,
): number[][] {
	const { offset, stride } = picture.planes[plane];
	return Array.from({ length: height }, (_, row) => {
		const start = offset + (y + row) * stride + x;
		return Array.from(picture.bytes.subarray(start, start + width));
	});
}

function pixelsOutside(
	picture: PictureBuffer,
	target: { x: number; y: number; width: number; height: number },
): number[] {
	return rowsOf(picture, 0, 0, 0, picture.width, picture.height).flatMap((row, y) =>
		row.filter((_, x) => x < target.x || x >= target.x + target.width || y < target.y || y >= target.y + target.height),
	);
}

function largestDifference(a: number[][], b: number[][]): number {
	return Math.max(...a.map((row, y) => Math.max(...row.map((value, x) => Math.abs(value - (b[y]?.[x] ?? 0))))));
}

function fillWithNoise(bytes: Uint8Array): void {
	let state = 1;
	for (let index = 0; index < bytes.length; index++) {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
		bytes[index] = state >>> 24;
	}
}
