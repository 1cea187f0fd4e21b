import { describe, expect, test } from "vitest";
import { ColourConverter } from "../../../../compositor-page/compositor/planar/colour-converter.ts";
import { conversionToBt709 } from "../../../../compositor-page/compositor/planar/matrix-conversion.ts";
import { MemoryPicture } from "../../../../compositor-page/compositor/planar/memory-picture.ts";
import type { PictureBuffer } from "../../../../compositor-page/compositor/planar/picture-buffer.ts";
import { nv12ToI420, packedToI420, planarToI420 } from "../../../../compositor-page/compositor/planar/to-i420.ts";
import { PictureMemory } from "../../../../compositor-page/kernels/picture-memory.ts";

const memory = new PictureMemory();
const converter = new ColourConverter(memory);
const pictureBuffer = (width: number, height: number) => MemoryPicture.of(memory, width, height);

/** Colour bars at 75 %, in limited range: [RGB, BT.601 Y Cb Cr, BT.709 Y Cb Cr] (ITU-R BT.601-7 and BT.709-6; EBU and ARIB tables of bars). */
const BARS: readonly (readonly [name: string, rgb: number[], bt601: number[], bt709: number[]])[] = [
	["white", [191, 191, 191], [180, 128, 128], [180, 128, 128]],
	["yellow", [191, 191, 0], [162, 44, 142], [168, 44, 136]],
	["cyan", [0, 191, 191], [131, 156, 44], [145, 147, 44]],
	["green", [0, 191, 0], [112, 72, 58], [133, 63, 52]],
	["magenta", [191, 0, 191], [84, 184, 198], [63, 193, 204]],
	["red", [191, 0, 0], [65, 100, 212], [51, 109, 212]],
	["blue", [0, 0, 191], [35, 212, 114], [28, 212, 120]],
	["black", [0, 0, 0], [16, 128, 128], [16, 128, 128]],
];
const SIZE = 4;
const WHOLE = { x: 0, y: 0, width: SIZE, height: SIZE };

describe.each(BARS)("the %s bar", (_name, rgb, bt601, bt709) => {
	test("of BT.601 becomes that of BT.709", () => {
		for (const matrix of ["smpte170m", "bt470bg"]) {
			const picture = flat(bt601);
			const conversion = conversionToBt709({ matrix, fullRange: false });
			converter.convert(picture, WHOLE, conversion ?? raise());
			expectNear(levels(picture), bt709, 2);
		}
	});

	test("in full range becomes that in limited range", () => {
		const full = [
			Math.round(((bt709[0] ?? 0) - 16) * (255 / 219)),
			Math.round(((bt709[1] ?? 0) - 128) * (255 / 224) + 128),
			Math.round(((bt709[2] ?? 0) - 128) * (255 / 224) + 128),
		];
		const picture = flat(full);
		converter.convert(picture, WHOLE, conversionToBt709({ matrix: "bt709", fullRange: true }) ?? raise());
		expectNear(levels(picture), bt709, 2);
	});

	test.each(["RGB", "BGR"] as const)("in %s pixels becomes that of BT.709", (order) => {
		const [red = 0, green = 0, blue = 0] = rgb;
		const pixel = order === "RGB" ? [red, green, blue, 255] : [blue, green, red, 255];
		const stride = SIZE * 4 + 12;
		const pixels = new Uint8Array(8 + stride * SIZE);
		for (let at = 0; at < SIZE * SIZE; at++) {
			pixels.set(pixel, 8 + Math.floor(at / SIZE) * stride + (at % SIZE) * 4);
		}
		const picture = pictureBuffer(SIZE, SIZE);
		packedToI420(pixels, { offset: 8, stride }, order, picture);
		expectNear(levels(picture), bt709, 1);
	});
});

test("pictures that are BT.709 limited, or do not say what they are, are left alone", () => {
	expect(conversionToBt709({ matrix: "bt709", fullRange: false })).toBeUndefined();
	expect(conversionToBt709({ matrix: null, fullRange: null })).toBeUndefined();
});

test("the conversion touches its rectangle only", () => {
	const picture = pictureBuffer(8, 8);
	picture.bytes.fill(60);
	converter.convert(picture, { x: 2, y: 4, width: 4, height: 2 }, conversionToBt709({ matrix: "bt470bg" }) ?? raise());
	const { stride } = picture.planes[0];
	const touched = Array.from({ length: 64 }, (_, at) => at).filter(
		(at) => picture.bytes[Math.floor(at / 8) * stride + (at % 8)] !== 60,
	);
	expect(touched).toEqual([34, 35, 36, 37, 42, 43, 44, 45]);
});

test("NV12 gives its chroma to two planes", () => {
	const source = Uint8Array.from([...range(0, 16), 1, 101, 2, 102, 3, 103, 4, 104]);
	const picture = pictureBuffer(4, 4);
	const address = memory.take(source.length);
	memory.bytes.set(source, address);
	nv12ToI420(
		memory.kernels,
		address,
		[
			{ offset: 0, stride: 4 },
			{ offset: 16, stride: 4 },
		],
		picture,
	);
	expect([plane(picture, 0), plane(picture, 1), plane(picture, 2)]).toEqual([
		range(0, 16),
		[1, 2, 3, 4],
		[101, 102, 103, 104],
	]);
});

test.each([
	{ name: "I420 with alpha", chroma: { widthShift: 1, heightShift: 1 }, u: [10, 20, 30, 40], stride: 2 },
	{ name: "I422", chroma: { widthShift: 1, heightShift: 0 }, u: [10, 20, 12, 22, 30, 40, 34, 44], stride: 2 },
	{
		name: "I444",
		chroma: { widthShift: 0, heightShift: 0 },
		u: [10, 12, 20, 22, 14, 8, 24, 18, 30, 30, 40, 40, 34, 34, 44, 44],
		stride: 4,
	},
] as const)("$name has its chroma averaged", ({ name, chroma, u, stride }) => {
	const v = u.map((value) => value + 100);
	const source = Uint8Array.from([...range(0, 16), ...u, ...v, ...range(200, 216)]);
	const picture = pictureBuffer(4, 4);
	const planes = [
		{ offset: 0, stride: 4 },
		{ offset: 16, stride },
		{ offset: 16 + u.length, stride },
		{ offset: 16 + 2 * u.length, stride: 4 },
	];
	planarToI420(source, planes, chroma, picture);
	const expected =
		name === "I420 with alpha" ? [10, 20, 30, 40] : name === "I422" ? [11, 21, 32, 42] : [11, 21, 32, 42];
	expect([plane(picture, 0), plane(picture, 1), plane(picture, 2)]).toEqual([
		range(0, 16),
		expected,
		expected.map((value) => value + 100),
	]);
});

test("formats with too few planes are refused", () => {
	const picture = pictureBuffer(4, 4);
	const one = [{ offset: 0, stride: 4 }];
	expect(() => nv12ToI420(memory.kernels, 64, one, picture)).toThrow("nv12: expected 2 planes, got 1");
	expect(() => planarToI420(new Uint8Array(64), one, { widthShift: 0, heightShift: 0 }, picture)).toThrow(
		"planar frame: expected 3 planes, got 1",
	);
});

function flat(values: readonly number[]): MemoryPicture {
	const picture = pictureBuffer(SIZE, SIZE);
	for (const index of [0, 1, 2] as const) {
		const { offset } = picture.planes[index];
		picture.bytes.fill(values[index] ?? 0, offset, picture.planes[(index + 1) as 1 | 2]?.offset);
	}
	return picture;
}

function plane(picture: PictureBuffer, index: 0 | 1 | 2): number[] {
	const side = index === 0 ? SIZE : SIZE / 2;
	const { offset, stride } = picture.planes[index];
	return Array.from({ length: side }, (_, y) =>
		Array.from(picture.bytes.subarray(offset + y * stride, offset + y * stride + side)),
	).flat();
}

/** The levels of a picture of one colour. */
function levels(picture: PictureBuffer): number[] {
	return ([0, 1, 2] as const).map((index) => {
		const values = plane(picture, index);
		expect(new Set(values).size).toBe(1);
		return values[0] ?? Number.NaN;
	});
}

function expectNear(got: readonly number[], expected: readonly number[], tolerance: number): void {
	const off = got.map((value, index) => Math.abs(value - (expected[index] ?? Number.NaN)));
	expect(Math.max(...off), `${got} against ${expected}`).toBeLessThanOrEqual(tolerance);
}

function range(from: number, to: number): number[] {
	return Array.from({ length: to - from }, (_, index) => from + index);
}

function raise(): never {
	throw new Error("expected a conversion");
}
