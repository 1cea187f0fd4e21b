import type { Rect } from "../../media/layout.ts";

/**
 * The largest centred part of a source that has the shape of `place`: what to show there so that the place is full and nothing is stretched.
 *
 * All numbers are even and inside the source. `pixelAspect` is the width of one source pixel in units of its height (1: square).
 * Rounding to even pixels leaves the shape off by less than one source pixel.
 */
export function cropToFill(
	sourceWidth: number,
	sourceHeight: number,
	place: { readonly width: number; readonly height: number },
	pixelAspect = 1,
): Rect {
	const wholeWidth = evenBelow(sourceWidth);
	const wholeHeight = evenBelow(sourceHeight);
	if (!(wholeWidth >= 2 && wholeHeight >= 2 && place.width > 0 && place.height > 0 && pixelAspect > 0)) {
		throw new RangeError(
			`crop: expected a source and a place with an area, got ${sourceWidth}x${sourceHeight} for ${place.width}x${place.height}`,
		);
	}
	/** Width over height that the crop has when counted in source pixels. */
	const shape = place.width / place.height / pixelAspect;
	const width = Math.min(wholeWidth, nearestEven(wholeHeight * shape));
	const height = Math.min(wholeHeight, nearestEven(wholeWidth / shape));
	return {
		x: evenBelow((wholeWidth - width) / 2),
		y: evenBelow((wholeHeight - height) / 2),
		width,
		height,
	};
}

function evenBelow(value: number): number {
	return Math.floor(value / 2) * 2;
}

function nearestEven(value: number): number {
	return Math.max(2, Math.round(value / 2) * 2);
}
