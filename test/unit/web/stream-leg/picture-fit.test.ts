import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitPicture } from "../../../../web/lib/stream-leg/picture-fit.ts";

const HD = { width: 1280, height: 720 };
const ALL = { x: 0, y: 0, ...HD };

describe("fitPicture", () => {
	test.each([
		{
			what: "the same shape",
			source: { width: 640, height: 360 },
			from: { x: 0, y: 0, width: 640, height: 360 },
			to: ALL,
		},
		{ what: "4:3", source: { width: 640, height: 480 }, from: { x: 0, y: 60, width: 640, height: 360 }, to: ALL },
		{
			what: "a wide camera",
			source: { width: 2560, height: 1080 },
			from: { x: 320, y: 0, width: 1920, height: 1080 },
			to: ALL,
		},
		{
			what: "an upright phone, with bars",
			source: { width: 720, height: 1280 },
			from: { x: 0, y: 0, width: 720, height: 1280 },
			to: { x: 438, y: 0, width: 406, height: 720 },
		},
	])("places $what", ({ source, from, to }) => {
		expect(fitPicture(source, HD, true)).toEqual({ from, to });
	});

	test("shows a screen whole", () => {
		expect(fitPicture({ width: 1280, height: 800 }, HD, false)).toEqual({
			from: { x: 0, y: 0, width: 1280, height: 800 },
			to: { x: 64, y: 0, width: 1152, height: 720 },
		});
	});

	test("stays inside of both, with even edges, and hardly changes a shape", () => {
		const side = fc.integer({ min: 120, max: 2_160 }).map((value) => value * 2);
		fc.assert(
			fc.property(side, side, fc.boolean(), (width, height, mayCut) => {
				const { from, to } = fitPicture({ width, height }, HD, mayCut);
				for (const [area, whole] of [
					[from, { width, height }],
					[to, HD],
				] as const) {
					expect(area.x + area.width).toBeLessThanOrEqual(whole.width);
					expect(area.y + area.height).toBeLessThanOrEqual(whole.height);
					expect([area.x % 2, area.y % 2, area.width % 2, area.height % 2]).toEqual([0, 0, 0, 0]);
				}
				const stretch = (to.width / from.width) * (from.height / to.height);
				expect(Math.abs(stretch - 1)).toBeLessThan(0.03);
				expect(mayCut || (from.width === width && from.height === height)).toBe(true);
			}),
		);
	});
});
