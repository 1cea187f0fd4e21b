import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { visibleCrop } from "../../../../compositor-page/compositor/visible-crop.ts";
import { cropToFill } from "../../../../compositor-page/layouts/crop-to-fill.ts";

describe("cropToFill", () => {
	test.each([
		{ name: "the same shape: all of it", source: [1280, 720], place: [320, 180], crop: [0, 0, 1280, 720] },
		{ name: "half a wide picture: its middle", source: [1280, 720], place: [640, 720], crop: [320, 0, 640, 720] },
		{ name: "a flat strip: its middle", source: [1280, 720], place: [1280, 360], crop: [0, 180, 1280, 360] },
		{ name: "upright into wide", source: [720, 1280], place: [1280, 720], crop: [0, 436, 720, 406] },
		{ name: "4:3 into 16:9", source: [640, 480], place: [1280, 720], crop: [0, 60, 640, 360] },
		{ name: "odd source sides", source: [641, 361], place: [640, 360], crop: [0, 0, 640, 360] },
	])("$name", ({ source: [width = 0, height = 0], place: [placeWidth = 0, placeHeight = 0], crop }) => {
		const rect = cropToFill(width, height, { width: placeWidth, height: placeHeight });
		expect([rect.x, rect.y, rect.width, rect.height]).toEqual(crop);
	});

	test("takes pixels that are not square for what they show", () => {
		// 720x576 shown as 16:9: into a square place goes the middle 9/16 of the width.
		const rect = cropToFill(720, 576, { width: 400, height: 400 }, 1024 / 720);
		expect(rect).toEqual({ x: 156, y: 0, width: 406, height: 576 });
	});

	test("is even, inside the source, as large as can be, centred and of the place's shape, whatever the sizes", () => {
		const side = fc.integer({ min: 64, max: 4096 });
		const half = fc.integer({ min: 32, max: 1024 });
		fc.assert(
			fc.property(side, side, half, half, (sourceWidth, sourceHeight, halfWidth, halfHeight) => {
				const place = { width: 2 * halfWidth, height: 2 * halfHeight };
				const { x, y, width, height } = cropToFill(sourceWidth, sourceHeight, place);
				expect([x % 2, y % 2, width % 2, height % 2]).toEqual([0, 0, 0, 0]);
				expect(x + width).toBeLessThanOrEqual(sourceWidth);
				expect(y + height).toBeLessThanOrEqual(sourceHeight);
				expect(sourceWidth - width < 2 || sourceHeight - height < 2).toBe(true);
				expect(Math.abs(2 * x + width - sourceWidth)).toBeLessThanOrEqual(4);
				expect(Math.abs(2 * y + height - sourceHeight)).toBeLessThanOrEqual(4);
				// Off by at most a pixel either way, seen along the side that was cut.
				const shape = place.width / place.height;
				expect(Math.min(Math.abs(width - height * shape), Math.abs(height - width / shape))).toBeLessThanOrEqual(1.01);
			}),
			{ numRuns: 2_000 },
		);
	});

	test("refuses sources and places without an area", () => {
		expect(() => cropToFill(1, 720, { width: 640, height: 360 })).toThrow(
			"crop: expected a source and a place with an area",
		);
		expect(() => cropToFill(1280, 720, { width: 640, height: 0 })).toThrow("crop: expected");
	});
});

describe("visibleCrop", () => {
	test("counts from the visible part of the coded picture", () => {
		const visible = { x: 8, y: 4, width: 1280, height: 720 };
		const crop = visibleCrop({ visible, displayWidth: 1280, displayHeight: 720 }, { width: 640, height: 720 });
		expect(crop).toEqual({ x: 328, y: 4, width: 640, height: 720 });
	});

	test("starts at a whole chroma sample when the visible part does not, and stays inside it", () => {
		const visible = { x: 1, y: 3, width: 99, height: 99 };
		const crop = visibleCrop({ visible, displayWidth: 99, displayHeight: 99 }, { width: 200, height: 200 });
		expect(crop).toEqual({ x: 2, y: 4, width: 98, height: 98 });
	});

	test("follows the size in which the frame is to be shown", () => {
		const visible = { x: 0, y: 0, width: 720, height: 576 };
		const crop = visibleCrop({ visible, displayWidth: 1024, displayHeight: 576 }, { width: 1280, height: 720 });
		expect(crop).toEqual({ x: 0, y: 0, width: 720, height: 576 });
	});
});
