import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layOut, type OutputSize, type Place } from "../../../../compositor-page/layouts/lay-out.ts";
import { LAYOUT_NAMES, type LayoutName, type Rect } from "../../../../media/layout.ts";

const SIZES = [
	{ width: 1280, height: 720 },
	{ width: 1920, height: 1080 },
	{ width: 720, height: 1280 },
	{ width: 640, height: 640 },
	{ width: 854, height: 480 },
	{ width: 1278, height: 718 },
	{ width: 130, height: 98 },
];
const PEOPLE = ["ada", "bo", "cy", "di", "ed", "flo", "gus"];

const cases = SIZES.flatMap((size) =>
	LAYOUT_NAMES.flatMap((layout) => PEOPLE.map((_, index) => ({ size, layout, ids: PEOPLE.slice(0, index + 1) }))),
).map((each) => ({ ...each, name: `${each.layout} of ${each.ids.length} in ${each.size.width}x${each.size.height}` }));

describe("every layout", () => {
	test.each(cases)(
		"$name: even rectangles inside the picture, rearmost ones cover it exactly once",
		({ size, layout, ids }) => expectSound(layout, size, ids),
	);

	test("holds for up to five people in a picture of any even size", () => {
		const side = fc.integer({ min: 8, max: 2_048 }).map((half) => half * 2);
		fc.assert(
			fc.property(
				fc.constantFrom(...LAYOUT_NAMES),
				side,
				side,
				fc.integer({ min: 1, max: 5 }),
				(layout, width, height, count) => expectSound(layout, { width, height }, PEOPLE.slice(0, count)),
			),
			{ numRuns: 2_000 },
		);
	});

	test("stacks four insets into a picture that is hardly high enough", () => {
		expectSound("pip", { width: 16, height: 22 }, PEOPLE.slice(0, 5));
	});

	test.each(LAYOUT_NAMES)("%s gives one person the whole picture, and nobody no place", (layout) => {
		const size = { width: 1280, height: 720 };
		const whole = { x: 0, y: 0, width: 1280, height: 720 };
		expect(layOut(layout, size, ["ada"]).places).toEqual([{ id: "ada", rect: whole, z: 0 }]);
		expect(layOut(layout, size, []).places).toEqual([]);
	});

	test.each([
		{ width: 1279, height: 720 },
		{ width: 1280, height: 0 },
		{ width: 1280, height: Number.NaN },
	])("refuses a picture of $width x $height", (size) => {
		expect(() => layOut("solo", size, ["ada"])).toThrow(/layout: expected an even (width|height) of at least 16, got/);
	});
});

describe("two people", () => {
	const size = { width: 1280, height: 720 };
	const rects = (layout: "solo" | "landscape" | "vertical" | "pip", of = size) =>
		layOut(layout, of, ["host", "guest"]).places.map(({ id, rect }) => ({ id, ...rect }));

	test("solo shows the first", () => {
		expect(rects("solo")).toEqual([{ id: "host", x: 0, y: 0, width: 1280, height: 720 }]);
	});

	test("landscape puts them side by side, the first on the left", () => {
		expect(rects("landscape")).toEqual([
			{ id: "host", x: 0, y: 0, width: 640, height: 720 },
			{ id: "guest", x: 640, y: 0, width: 640, height: 720 },
		]);
	});

	test("vertical stacks them, the first on top", () => {
		expect(rects("vertical", { width: 720, height: 1280 })).toEqual([
			{ id: "host", x: 0, y: 0, width: 720, height: 640 },
			{ id: "guest", x: 0, y: 640, width: 720, height: 640 },
		]);
	});

	test("pip insets the second at the bottom right, with a margin and a border, over the first", () => {
		const { places } = layOut("pip", size, ["host", "guest"]);
		expect(places).toEqual([
			{ id: "host", rect: { x: 0, y: 0, width: 1280, height: 720 }, z: 0 },
			{
				id: "guest",
				rect: { x: 936, y: 516, width: 320, height: 180 },
				z: 1,
				border: { widthPx: 4, radiusPx: 12, red: 255, green: 255, blue: 255 },
			},
		]);
	});

	test("pip's inset can be made larger", () => {
		const [, guest] = layOut("pip", size, ["host", "guest"], { insetShare: 0.5 }).places;
		expect(guest?.rect).toEqual({ x: 616, y: 336, width: 640, height: 360 });
	});

	test("halves of a width that four does not divide are even and leave nothing out", () => {
		expect(rects("landscape", { width: 854, height: 480 }).map(({ x, width }) => [x, width])).toEqual([
			[0, 428],
			[428, 426],
		]);
	});
});

test("more than three people share rows of a landscape picture as evenly as can be", () => {
	const { places } = layOut("landscape", { width: 1280, height: 720 }, PEOPLE.slice(0, 5));
	expect(places.map(({ rect }) => rect.y)).toEqual([0, 0, 0, 360, 360]);
	expect(places.map(({ rect }) => rect.width)).toEqual([426, 428, 426, 640, 640]);
});

describe("grid", () => {
	/** People a row, from the top. */
	const rowsOf = (size: OutputSize, count: number) => {
		const { places } = layOut("grid", size, PEOPLE.slice(0, count));
		const tops = [...new Set(places.map(({ rect }) => rect.y))];
		return tops.map((y) => places.filter(({ rect }) => rect.y === y).length);
	};

	test.each([
		{ size: { width: 1280, height: 720 }, rows: [[1], [2], [2, 1], [2, 2], [3, 2]] },
		{ size: { width: 640, height: 640 }, rows: [[1], [2], [2, 1], [2, 2], [3, 2]] },
		{ size: { width: 720, height: 1280 }, rows: [[1], [1, 1], [2, 1], [2, 2], [2, 2, 1]] },
	])("$size.width x $size.height: rows of $rows", ({ size, rows }) => {
		expect(rows.map((_, index) => rowsOf(size, index + 1))).toEqual(rows);
	});

	test("goes through its people from the top left, and the last row is as wide as the others", () => {
		const { places } = layOut("grid", { width: 1280, height: 720 }, PEOPLE.slice(0, 3));
		expect(places).toEqual([
			{ id: "ada", rect: { x: 0, y: 0, width: 640, height: 360 }, z: 0 },
			{ id: "bo", rect: { x: 640, y: 0, width: 640, height: 360 }, z: 0 },
			{ id: "cy", rect: { x: 0, y: 360, width: 1280, height: 360 }, z: 0 },
		]);
	});

	test("gives everyone of a row the same place but for rounding, and nobody of the last row a narrower one", () => {
		const side = fc.integer({ min: 64, max: 1_024 }).map((half) => half * 2);
		fc.assert(
			fc.property(side, side, fc.integer({ min: 1, max: 5 }), (width, height, count) => {
				const { places } = layOut("grid", { width, height }, PEOPLE.slice(0, count));
				const heights = places.map(({ rect }) => rect.height);
				expect(Math.max(...heights) - Math.min(...heights)).toBeLessThanOrEqual(2);
				const last = places.at(-1)?.rect;
				for (const { rect } of places) {
					expect(rect.width).toBeLessThanOrEqual((last?.width ?? 0) + 2);
					const row = places.filter((other) => other.rect.y === rect.y);
					expect(Math.abs(rect.width - width / row.length)).toBeLessThanOrEqual(2);
				}
			}),
		);
	});
});

/** Even rectangles inside the picture; rearmost ones cover it exactly once, and insets do not overlap. */
function expectSound(layout: LayoutName, size: OutputSize, ids: readonly string[]): void {
	const { places } = layOut(layout, size, ids);
	for (const { rect } of places) {
		expect([rect.x, rect.y, rect.width, rect.height].every((value) => value % 2 === 0)).toBe(true);
		expect(rect.width).toBeGreaterThan(0);
		expect(rect.height).toBeGreaterThan(0);
		expect(rect.x).toBeGreaterThanOrEqual(0);
		expect(rect.y).toBeGreaterThanOrEqual(0);
		expect(rect.x + rect.width).toBeLessThanOrEqual(size.width);
		expect(rect.y + rect.height).toBeLessThanOrEqual(size.height);
	}
	const rearmost = places.filter((place) => place.z === 0);
	expect(rearmost.reduce((sum, { rect }) => sum + area(rect), 0)).toBe(size.width * size.height);
	for (const z of new Set(places.map((place) => place.z))) {
		expect(overlaps(places.filter((place) => place.z === z))).toEqual([]);
	}
	expect(overlaps(places.filter((place) => place.z > 0))).toEqual([]);
}

function area(rect: Rect): number {
	return rect.width * rect.height;
}

function overlaps(places: readonly Place[]): string[] {
	return places.flatMap((a, index) =>
		places
			.slice(index + 1)
			.filter(
				(b) =>
					a.rect.x < b.rect.x + b.rect.width &&
					b.rect.x < a.rect.x + a.rect.width &&
					a.rect.y < b.rect.y + b.rect.height &&
					b.rect.y < a.rect.y + a.rect.height,
			)
			.map((b) => `${a.id} and ${b.id}`),
	);
}
