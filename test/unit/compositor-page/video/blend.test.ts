import { describe, expect, test } from "vitest";
import { blendGraphic } from "../../../../compositor-page/compositor/planar/blend.ts";
import { MemoryPicture } from "../../../../compositor-page/compositor/planar/memory-picture.ts";
import type { PictureBuffer } from "../../../../compositor-page/compositor/planar/picture-buffer.ts";
import { planarGraphic } from "../../../../compositor-page/compositor/planar/planar-graphic.ts";
import { storeGraphic } from "../../../../compositor-page/compositor/planar/stored-graphics.ts";
import { PictureMemory } from "../../../../compositor-page/kernels/picture-memory.ts";

const memory = new PictureMemory();
const { kernels } = memory;
const WIDTH = 24;
const HEIGHT = 16;
const WHOLE = { x: 0, y: 0, width: WIDTH, height: HEIGHT };
/** Y'CbCr BT.709 limited of the colours used, from ITU-R BT.709-6. */
const RED = [63, 102, 240];
const UNDER = [100, 90, 160];

describe("blending a graphic", () => {
	test.each([
		{ alpha: 255, expected: RED },
		{ alpha: 0, expected: UNDER },
		{ alpha: 128, expected: [81, 96, 200] },
		{ alpha: 51, expected: [93, 92, 176] },
	])("with alpha $alpha mixes as much of it into each plane", ({ alpha, expected }) => {
		const picture = grey();
		blendGraphic(kernels, picture, flat(8, 6, [255, 0, 0, alpha]), 4, 2, WHOLE);
		for (const [plane, level] of expected.entries()) {
			expect(Math.abs(sample(picture, plane as 0 | 1 | 2, 6, 4) - level)).toBeLessThanOrEqual(1);
		}
	});

	test.each([255, 128])("touches only the pixels it covers (alpha %i)", (alpha) => {
		const picture = grey();
		blendGraphic(kernels, picture, flat(8, 6, [255, 0, 0, alpha]), 4, 2, WHOLE);
		expect(changed(picture)).toEqual({ x: 4, y: 2, width: 8, height: 6, count: 48 });
	});

	test.each([
		{ name: "left of the picture", x: -4, y: 2, visible: { x: 0, y: 2, width: 4, height: 6, count: 24 } },
		{ name: "past its lower right", x: 20, y: 12, visible: { x: 20, y: 12, width: 4, height: 4, count: 16 } },
		{ name: "over its top", x: 2, y: -2, visible: { x: 2, y: 0, width: 8, height: 4, count: 32 } },
	])("cuts off what hangs out $name", ({ x, y, visible }) => {
		for (const alpha of [255, 128]) {
			const picture = grey();
			blendGraphic(kernels, picture, flat(8, 6, [255, 0, 0, alpha]), x, y, WHOLE);
			expect(changed(picture)).toEqual(visible);
		}
	});

	test("far outside leaves everything as it was", () => {
		const picture = grey();
		blendGraphic(kernels, picture, flat(8, 6, [255, 0, 0, 255]), 400, 2, WHOLE);
		expect(changed(picture).count).toBe(0);
	});

	test("weights colours at an edge by their alpha: what is see-through lends no colour", () => {
		// Left pixels opaque red, right ones see-through green: chroma must be half red over grey, not half green.
		const pixels = new Uint8Array(2 * 2 * 4);
		for (const pixel of [0, 2]) {
			pixels.set([255, 0, 0, 255], pixel * 4);
			pixels.set([0, 255, 0, 0], (pixel + 1) * 4);
		}
		const picture = grey();
		blendGraphic(kernels, picture, storeGraphic(memory, planarGraphic(pixels, 2, 2)), 0, 0, WHOLE);
		expect(Math.abs(sample(picture, 1, 0, 0) - (102 + 90) / 2)).toBeLessThanOrEqual(1);
		expect(Math.abs(sample(picture, 2, 0, 0) - (240 + 160) / 2)).toBeLessThanOrEqual(1);
		expect(sample(picture, 0, 1, 0)).toBe(UNDER[0]);
	});

	test("refuses odd sizes and missing pixels", () => {
		expect(() => planarGraphic(new Uint8Array(3 * 2 * 4), 3, 2)).toThrow("graphic: expected even sides and all pixels");
		expect(() => planarGraphic(new Uint8Array(4), 2, 2)).toThrow("got 2x2 in 4 bytes");
	});
});

function grey(): MemoryPicture {
	const picture = MemoryPicture.of(memory, WIDTH, HEIGHT);
	for (const plane of [0, 1, 2] as const) {
		const { offset } = picture.planes[plane];
		picture.bytes.fill(UNDER[plane] ?? 0, offset, picture.planes[(plane + 1) as 1 | 2]?.offset);
	}
	return picture;
}

function flat(width: number, height: number, rgba: readonly number[]) {
	const pixels = Uint8Array.from({ length: width * height * 4 }, (_, index) => rgba[index % 4] ?? 0);
	return storeGraphic(memory, planarGraphic(pixels, width, height));
}

/** Of the pixel at (x, y) of the whole picture. */
function sample(picture: PictureBuffer, plane: 0 | 1 | 2, x: number, y: number): number {
	const shift = plane === 0 ? 0 : 1;
	const { offset, stride } = picture.planes[plane];
	return picture.bytes[offset + (y >> shift) * stride + (x >> shift)] ?? Number.NaN;
}

/** Box around the pixels whose luma is no longer what it was, and their number. */
function changed(picture: PictureBuffer): { x: number; y: number; width: number; height: number; count: number } {
	const xs: number[] = [];
	const ys: number[] = [];
	for (let y = 0; y < HEIGHT; y++) {
		for (let x = 0; x < WIDTH; x++) {
			if (sample(picture, 0, x, y) !== UNDER[0]) {
				xs.push(x);
				ys.push(y);
			}
		}
	}
	const [x, y] = [Math.min(...xs), Math.min(...ys)];
	return { x, y, width: Math.max(...xs) - x + 1, height: Math.max(...ys) - y + 1, count: xs.length };
}
