import type { Rect } from "../../../media/layout.ts";
import type { ComposedPlace } from "../compositor.ts";

/**
 * Which places (from back to front) must be drawn again over a picture that shows `before`. A place whose picture, label and border are the same
 * objects as before shows the same; it is drawn again all the same where it touches one that is not. Everything is, when a place came, went or moved.
 */
export function placesToRedo(
	before: readonly ComposedPlace[] | undefined,
	now: readonly ComposedPlace[],
): readonly boolean[] {
	if (before === undefined || before.length !== now.length || now.some((place, at) => !isAtSame(place, before[at]))) {
		return now.map(() => true);
	}
	const redo = now.map((place, at) => !showsSame(place, before[at]));
	const regions = now.map((place, at) => [...regionsOf(place), ...regionsOf(before[at])]);
	// What touches a place that is drawn again is drawn again itself, and so is what touches that.
	for (let spread = true; spread; ) {
		spread = false;
		for (const [at, own] of regions.entries()) {
			if (redo[at] === false && regions.some((others, other) => redo[other] === true && touch(own, others))) {
				redo[at] = true;
				spread = true;
			}
		}
	}
	return redo;
}

function isAtSame(a: ComposedPlace, b: ComposedPlace | undefined): boolean {
	return (
		b !== undefined &&
		a.z === b.z &&
		a.rect.x === b.rect.x &&
		a.rect.y === b.rect.y &&
		a.rect.width === b.rect.width &&
		a.rect.height === b.rect.height
	);
}

function hasSamePicture({ picture: a }: ComposedPlace, b: ComposedPlace | undefined): boolean {
	return a.kind === "frame"
		? b?.picture.kind === "frame" && a.frame === b.picture.frame
		: b?.picture.kind === "card" && a.card === b.picture.card;
}

function showsSame(a: ComposedPlace, b: ComposedPlace | undefined): boolean {
	return (
		hasSamePicture(a, b) &&
		a.label?.graphic === b?.label?.graphic &&
		a.label?.x === b?.label?.x &&
		a.label?.y === b?.label?.y &&
		a.border?.widthPx === b?.border?.widthPx &&
		a.border?.radiusPx === b?.border?.radiusPx &&
		a.border?.red === b?.border?.red &&
		a.border?.green === b?.border?.green &&
		a.border?.blue === b?.border?.blue
	);
}

function regionsOf(place: ComposedPlace | undefined): Rect[] {
	if (place === undefined) {
		return [];
	}
	const { rect, label } = place;
	return label === undefined
		? [rect]
		: [rect, { x: label.x, y: label.y, width: label.graphic.width, height: label.graphic.height }];
}

function touch(some: readonly Rect[], others: readonly Rect[]): boolean {
	return some.some((a) =>
		others.some((b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height),
	);
}
