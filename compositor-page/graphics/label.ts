import type { Rect } from "../../media/layout.ts";
import { type Graphic, type GraphicContext, paintGraphic } from "./graphic.ts";
import { drawCentredText, FONT_FAMILY, fitText } from "./text.ts";

interface Size {
	readonly width: number;
	readonly height: number;
}

const PLATE = "rgb(13 17 23 / 0.72)";
const TEXT = "#ffffff";
/** No label is wider than this share of its place. */
const MAX_WIDTH_SHARE = 0.8;
/** Keeps a label in a small inset clear of the inset's border. */
const SMALLEST_MARGIN_PX = 10;

/** Text of a label in a place of this size: readable in a small inset, quiet in a full picture (30 px at 720 lines). */
function fontPx(place: Size): number {
	return Math.round(8 + Math.min(place.width, place.height) * 0.031);
}

function marginPx(place: Size): number {
	return Math.max(SMALLEST_MARGIN_PX, Math.round((Math.min(place.width, place.height) * 0.033) / 2) * 2);
}

/** The plate with a person's name for the lower left of a place. `name` is one line and not empty. */
export function paintLabel(name: string, place: Size): Graphic {
	const font = fontPx(place);
	const paddingX = Math.round(font * 0.62);
	const height = Math.round(font * 1.75);
	const maxTextWidth = place.width * MAX_WIDTH_SHARE - 2 * paddingX;
	const style = `600 ${font}px ${FONT_FAMILY}`;
	let text = name;
	let textWidth = 0;
	// Measured on a canvas of no size first: how wide the plate becomes depends on the text.
	paintGraphic(2, 2, (context) => {
		context.font = style;
		text = fitText(name, maxTextWidth, (candidate) => context.measureText(candidate).width);
		textWidth = context.measureText(text).width;
	});
	return paintGraphic(textWidth + 2 * paddingX, height, (context, plateWidth, plateHeight) => {
		paintPlate(context, plateWidth, plateHeight, font);
		context.font = style;
		context.textAlign = "center";
		context.fillStyle = TEXT;
		drawCentredText(context, text, plateWidth / 2, plateHeight / 2);
	});
}

function paintPlate(context: GraphicContext, width: number, height: number, font: number): void {
	context.fillStyle = PLATE;
	context.beginPath();
	context.roundRect(0, 0, width, height, font * 0.4);
	context.fill();
}

/** Where the label of a place goes: its lower left, clear of the border. Both numbers are even. */
export function labelPosition(rect: Rect, label: Size): { readonly x: number; readonly y: number } {
	const margin = marginPx(rect);
	return { x: rect.x + margin, y: rect.y + rect.height - margin - label.height };
}
