import type { GraphicContext } from "./graphic.ts";

/** Fonts to be found on the machines that run Chromium, the better ones first; the browser looks further for scripts and emoji they lack. */
export const FONT_FAMILY = `Inter, "Segoe UI", "SF Pro Text", Roboto, "Noto Sans", "Open Sans", "DejaVu Sans", system-ui, sans-serif`;

const ELLIPSIS = "…";
const NON_JOINER = "\u200c";
const RIGHT_TO_LEFT =
	/[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}\p{Script=Samaritan}\p{Script=Mandaic}]/u;

/** One line of text as people perceive its characters: control characters and line breaks become single spaces. */
export function oneLine(text: string): string {
	return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
}

/** The longest beginning of `text` that `measure` says fits into `maxWidth`, with an ellipsis when it is not all of it. */
export function fitText(text: string, maxWidth: number, measure: (text: string) => number): string {
	if (measure(text) <= maxWidth) {
		return text;
	}
	const characters = graphemes(text);
	let shortest = 0;
	let longest = characters.length - 1;
	while (shortest < longest) {
		const middle = Math.ceil((shortest + longest) / 2);
		if (measure(shortened(characters, middle)) <= maxWidth) {
			shortest = middle;
		} else {
			longest = middle - 1;
		}
	}
	return shortened(characters, shortest);
}

/** Whether there is anything to see: a name may be made of spaces and joiners only. */
export function isVisible(text: string): boolean {
	return /[\p{L}\p{N}\p{P}\p{S}]/u.test(text);
}

/** The direction of the first letter (as in Unicode Standard Annex 9, rule P2), which decides on which side an ellipsis belongs. */
export function directionOf(text: string): "ltr" | "rtl" {
	return RIGHT_TO_LEFT.test(/\p{L}/u.exec(text)?.[0] ?? "") ? "rtl" : "ltr";
}

/** Up to two letters that stand for a name: of its first and last word, or one where there is only one. */
export function initials(name: string): string {
	const words = oneLine(name)
		.split(" ")
		.filter((word) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(word));
	const chosen = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
	// Arabic letters side by side would join up and read as a word.
	return chosen.map((word) => firstVisible(word ?? "")).join(directionOf(name) === "rtl" ? NON_JOINER : "");
}

/** Draws text whose capitals are centred on `centreY`. Centring the line's box instead would leave names a little too low. */
export function drawCentredText(context: GraphicContext, text: string, x: number, centreY: number): void {
	const capitals = context.measureText("H");
	context.direction = directionOf(text);
	context.textBaseline = "alphabetic";
	context.fillText(text, x, Math.round(centreY + capitals.actualBoundingBoxAscent / 2));
}

function shortened(characters: readonly string[], length: number): string {
	return `${characters.slice(0, length).join("").trimEnd()}${ELLIPSIS}`;
}

function graphemes(text: string): string[] {
	return Array.from(new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text), ({ segment }) => segment);
}

function firstVisible(word: string): string {
	const first = graphemes(word).find((character) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(character));
	return (first ?? "").toLocaleUpperCase();
}
