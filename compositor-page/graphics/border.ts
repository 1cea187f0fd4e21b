import type { Border } from "../layouts/lay-out.ts";
import { type Graphic, type GraphicContext, paintGraphic } from "./graphic.ts";

interface Size {
	readonly width: number;
	readonly height: number;
}

/**
 * The middle of a border's line, as the context's path: what is inside is the picture's, and the line, drawn along it, covers its edge. `x` and `y` are the
 * place's corner.
 */
export function tracePlace(
	context: GraphicContext,
	border: Border,
	x: number,
	y: number,
	{ width, height }: Size,
): void {
	const { widthPx, radiusPx } = border;
	const half = widthPx / 2;
	const radius = Math.min(Math.max(0, radiusPx - half), (Math.min(width, height) - widthPx) / 2);
	context.beginPath();
	context.roundRect(x + half, y + half, width - widthPx, height - widthPx, Math.max(0, radius));
}

export function strokeBorder(context: GraphicContext, { red, green, blue, widthPx }: Border): void {
	context.strokeStyle = `rgb(${red} ${green} ${blue})`;
	context.lineWidth = widthPx;
	context.stroke();
}

/** The line alone, for a place of that size. */
export function paintBorder(border: Border, place: Size): Graphic {
	return paintGraphic(place.width, place.height, (context) => {
		tracePlace(context, border, 0, 0, place);
		strokeBorder(context, border);
	});
}

/** Opaque where the place's picture is to be seen. */
export function paintMask(border: Border, place: Size): Graphic {
	return paintGraphic(place.width, place.height, (context) => {
		tracePlace(context, border, 0, 0, place);
		context.fillStyle = "white";
		context.fill();
	});
}
