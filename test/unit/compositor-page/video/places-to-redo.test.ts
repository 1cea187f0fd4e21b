import { expect, test } from "vitest";
import type { ComposedPlace, Picture } from "../../../../compositor-page/compositor/compositor.ts";
import { placesToRedo } from "../../../../compositor-page/compositor/planar/places-to-redo.ts";
import type { Graphic } from "../../../../compositor-page/graphics/graphic.ts";

const LEFT = { x: 0, y: 0, width: 640, height: 720 };
const RIGHT = { x: 640, y: 0, width: 640, height: 720 };
const INSET = { x: 900, y: 500, width: 320, height: 180 };

/** Only which object it is counts. */
const frame = (): Picture => ({ kind: "frame", frame: {} as VideoFrame });
const graphic = (width = 100, height = 40) => ({ width, height }) as Graphic;
const place = (rect: typeof LEFT, picture: Picture, more: Partial<ComposedPlace> = {}): ComposedPlace => ({
	rect,
	z: 0,
	picture,
	...more,
});

const [a, b, c] = [frame(), frame(), frame()];

test("the first picture, and one after a failure, is drawn whole", () => {
	expect(placesToRedo(undefined, [place(LEFT, a), place(RIGHT, b)])).toEqual([true, true]);
});

test("only the half of the one whose picture is new is drawn again", () => {
	expect(placesToRedo([place(LEFT, a), place(RIGHT, b)], [place(LEFT, a), place(RIGHT, c)])).toEqual([false, true]);
	expect(placesToRedo([place(LEFT, a), place(RIGHT, b)], [place(LEFT, a), place(RIGHT, b)])).toEqual([false, false]);
});

test("a card in place of a picture, or another card, is new", () => {
	const card: Picture = { kind: "card", card: graphic() };
	expect(placesToRedo([place(LEFT, a)], [place(LEFT, card)])).toEqual([true]);
	expect(placesToRedo([place(LEFT, card)], [place(LEFT, card)])).toEqual([false]);
	expect(placesToRedo([place(LEFT, card)], [place(LEFT, { kind: "card", card: graphic() })])).toEqual([true]);
});

test("an inset is drawn again when the picture under it is new, and the other way round; who is beside is not", () => {
	const before = [place(LEFT, a), place(RIGHT, b), place(INSET, c, { z: 1 })];
	expect(placesToRedo(before, [place(LEFT, a), place(RIGHT, frame()), place(INSET, c, { z: 1 })])).toEqual([
		false,
		true,
		true,
	]);
	expect(placesToRedo(before, [place(LEFT, a), place(RIGHT, b), place(INSET, frame(), { z: 1 })])).toEqual([
		false,
		true,
		true,
	]);
});

test("whoever came, went or moved has everything drawn again", () => {
	const before = [place(LEFT, a), place(RIGHT, b)];
	expect(placesToRedo(before, [place(LEFT, a)])).toEqual([true]);
	expect(placesToRedo(before, [place(RIGHT, a), place(LEFT, b)])).toEqual([true, true]);
	expect(placesToRedo(before, [place(LEFT, a), place(RIGHT, b, { z: 1 })])).toEqual([true, true]);
});

test("another label, its place, and another border are changes; where a label was or is, others are drawn again", () => {
	const label = { graphic: graphic(), x: 10, y: 600 };
	const withLabel = [place(LEFT, a, { label }), place(RIGHT, b)];
	expect(placesToRedo(withLabel, [place(LEFT, a, { label }), place(RIGHT, b)])).toEqual([false, false]);
	expect(
		placesToRedo(withLabel, [place(LEFT, a, { label: { ...label, graphic: graphic() } }), place(RIGHT, b)]),
	).toEqual([true, false]);
	const across = { ...label, x: 600 };
	expect(placesToRedo([place(LEFT, a, { label: across }), place(RIGHT, b)], [place(LEFT, a), place(RIGHT, b)])).toEqual(
		[true, true],
	);
	const border = { widthPx: 4, radiusPx: 12, red: 255, green: 255, blue: 255 };
	expect(placesToRedo([place(LEFT, a, { border })], [place(LEFT, a, { border: { ...border, red: 0 } })])).toEqual([
		true,
	]);
	expect(placesToRedo([place(LEFT, a, { border })], [place(LEFT, a, { border: { ...border } })])).toEqual([false]);
});
