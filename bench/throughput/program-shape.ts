import type { LayoutName } from "../../media/layout.ts";

/** What is composited: as many people in a layout, all filmed in one size, into a program of another. */
export interface ProgramShape {
	readonly name: string;
	readonly layout: LayoutName;
	readonly people: number;
	readonly source: { readonly width: number; readonly height: number };
	readonly output: { readonly width: number; readonly height: number };
	readonly bitrateBps: number;
}

export const FRAMES = 300;
export const FRAME_RATE = 30;
/** Frames from one key frame to the next: two seconds, as destinations want. */
export const KEY_FRAME_EVERY = 60;

const HD = { width: 1280, height: 720 };
const UPRIGHT = { width: 720, height: 1280 };
const FULL_HD = { width: 1920, height: 1080 };
const HD_BPS = 3_000_000;

/** The three layouts of the targets, then larger pictures and more people. */
export const SHAPES: readonly ProgramShape[] = [
	{ name: "landscape", layout: "landscape", people: 2, source: HD, output: HD, bitrateBps: HD_BPS },
	{ name: "vertical", layout: "vertical", people: 2, source: HD, output: UPRIGHT, bitrateBps: HD_BPS },
	{ name: "pip", layout: "pip", people: 2, source: HD, output: HD, bitrateBps: HD_BPS },
	{ name: "landscape 1080p", layout: "landscape", people: 2, source: FULL_HD, output: FULL_HD, bitrateBps: 5_000_000 },
	{ name: "grid of 4", layout: "grid", people: 4, source: HD, output: HD, bitrateBps: HD_BPS },
];
