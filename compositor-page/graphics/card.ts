import { type Graphic, type GraphicContext, paintGraphic } from "./graphic.ts";
import { drawCentredText, FONT_FAMILY, fitText, initials, isVisible } from "./text.ts";

interface Size {
	readonly width: number;
	readonly height: number;
}

/** Discs: dark enough for white letters, and apart from each other. */
const DISC_COLOURS = ["#3f5bd8", "#0f7f8c", "#8a4fd0", "#b5476b", "#2f7d4f", "#a85f1d", "#47639a", "#9c4a9c"] as const;
const BACKDROP_EDGE = "rgb(18 22 30)";
const BACKDROP_CENTRE = "rgb(47 51 59)";
const MAX_TEXT_SHARE = 0.86;
/** Below this height a second line would be too small to read. */
const SMALLEST_WITH_NOTE_PX = 220;

/** The picture that stands for a person who is not to be seen: initials on a disc, the name, and a small line such as "Will be right back". */
export function paintCard(name: string, note: string, size: Size): Graphic {
	return paintGraphic(size.width, size.height, (context, width, height) => {
		paintBackdrop(context, width, height);
		const shorter = Math.min(width, height);
		const radius = Math.round(shorter * (shorter < SMALLEST_WITH_NOTE_PX ? 0.23 : 0.15));
		const nameFont = Math.round(Math.min(10 + shorter * 0.052, shorter * 0.13));
		const withNote = note !== "" && height >= SMALLEST_WITH_NOTE_PX;
		const noteFont = Math.round(nameFont * 0.56);
		const nameGap = isVisible(name) ? nameFont * 1.15 : 0;
		const noteGap = withNote ? noteFont * 2.1 : 0;
		const top = (height - (2 * radius + nameGap + noteGap)) / 2 - nameFont * 0.2;
		context.textAlign = "center";

		paintDisc(context, name, width / 2, top + radius, radius);

		const nameY = top + 2 * radius + nameGap;
		context.fillStyle = "#ffffff";
		context.font = `600 ${nameFont}px ${FONT_FAMILY}`;
		drawLine(context, name, width, nameY);
		if (withNote) {
			context.font = `400 ${noteFont}px ${FONT_FAMILY}`;
			context.fillStyle = "rgb(255 255 255 / 0.62)";
			drawLine(context, note, width, nameY + noteGap);
		}
	});
}

/** The name's initials in white on a disc of its colour; where it has none, the outline of a person. */
function paintDisc(context: GraphicContext, name: string, x: number, y: number, radius: number): void {
	context.save();
	context.fillStyle = discColour(name);
	context.beginPath();
	context.arc(x, y, radius, 0, 2 * Math.PI);
	context.fill();
	context.clip();
	context.fillStyle = "#ffffff";
	const letters = initials(name);
	if (letters === "") {
		context.beginPath();
		context.arc(x, y - radius * 0.22, radius * 0.32, 0, 2 * Math.PI);
		context.ellipse(x, y + radius * 0.95, radius * 0.62, radius * 0.68, 0, 0, 2 * Math.PI);
		context.fill();
	} else {
		context.font = `600 ${Math.round(radius * 0.82)}px ${FONT_FAMILY}`;
		drawCentredText(context, letters, x, y);
	}
	context.restore();
}

/** The whole output with nobody in it: a title such as "Starting soon" and a small line, either of which may be empty. */
export function paintBackground(title: string, note: string, size: Size): Graphic {
	return paintGraphic(size.width, size.height, (context, width, height) => {
		paintBackdrop(context, width, height);
		const shorter = Math.min(width, height);
		const titleFont = Math.round(shorter * 0.075);
		const noteFont = Math.round(titleFont * 0.5);
		const titleY = height / 2 - (note === "" ? 0 : noteFont);
		context.textAlign = "center";
		context.fillStyle = "#ffffff";
		context.font = `600 ${titleFont}px ${FONT_FAMILY}`;
		drawLine(context, title, width, titleY);
		context.fillStyle = "rgb(255 255 255 / 0.62)";
		context.font = `400 ${noteFont}px ${FONT_FAMILY}`;
		drawLine(context, note, width, titleY + titleFont * 1.25);
	});
}

function drawLine(context: GraphicContext, text: string, width: number, centreY: number): void {
	const fitted = fitText(text, width * MAX_TEXT_SHARE, (candidate) => context.measureText(candidate).width);
	drawCentredText(context, fitted, width / 2, centreY);
}

/**
 * Quiet and dark, a little lighter where the disc or the title is. The two colours differ by a grey, and their chroma is close to whole levels:
 * a gradient of chroma would fall into coloured bands.
 */
function paintBackdrop(context: GraphicContext, width: number, height: number): void {
	context.fillStyle = BACKDROP_EDGE;
	context.fillRect(0, 0, width, height);
	const light = context.createRadialGradient(
		width / 2,
		height * 0.4,
		0,
		width / 2,
		height * 0.4,
		Math.hypot(width, height) * 0.62,
	);
	light.addColorStop(0, BACKDROP_CENTRE);
	light.addColorStop(1, BACKDROP_EDGE);
	context.fillStyle = light;
	context.fillRect(0, 0, width, height);
}

/** The same name always has the same colour. */
function discColour(name: string): string {
	let sum = 0;
	for (const character of name) {
		sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 0xffff;
	}
	return DISC_COLOURS[sum % DISC_COLOURS.length] ?? DISC_COLOURS[0];
}
