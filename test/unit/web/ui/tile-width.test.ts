import fc from "fast-check";
import { expect, test } from "vitest";
import { TILE_ASPECT, TILE_GAP_PX, tileWidth } from "../../../../web/ui/call/tile-width.ts";

test.each([
	[1, 1_600, 900, 1_600],
	[2, 1_612, 450, 800],
	[2, 800, 912, 800],
	[4, 1_612, 912, 800],
	[1, 0, 0, 0],
])("makes %i tiles in %i×%i as wide as %i", (count, width, height, expected) => {
	expect(tileWidth(count, { width, height })).toBe(expected);
});

test("all of them fit, and one more pixel would not", () => {
	const side = fc.integer({ min: 100, max: 4_000 });
	const fits = (count: number, tile: number, width: number, height: number) => {
		const columns = Math.floor((width + TILE_GAP_PX) / (tile + TILE_GAP_PX));
		const rows = Math.ceil(count / columns);
		return columns > 0 && rows * (tile / TILE_ASPECT) + (rows - 1) * TILE_GAP_PX <= height + 1e-6;
	};
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 5 }), side, side, (count, width, height) => {
			const tile = tileWidth(count, { width, height });
			expect(fits(count, tile, width, height)).toBe(true);
			expect(fits(count, tile + 1, width, height)).toBe(false);
		}),
	);
});
