import type { Rect } from "../../media/layout.ts";
import type { Graphic } from "../graphics/graphic.ts";
import type { Border } from "../layouts/lay-out.ts";

/** What to show in a place. A frame is cropped to fill it; a card was painted at the place's size. */
export type Picture =
	| { readonly kind: "frame"; readonly frame: VideoFrame }
	| { readonly kind: "card"; readonly card: Graphic };

/** A graphic with the output pixel of its top left corner; both numbers are even. */
export interface PlacedGraphic {
	readonly graphic: Graphic;
	readonly x: number;
	readonly y: number;
}

export interface ComposedPlace {
	readonly rect: Rect;
	readonly z: number;
	readonly border?: Border;
	readonly picture: Picture;
	readonly label?: PlacedGraphic;
}

/** One output picture. Size and rectangles are even; the background has the output's size and shows where no place is. */
export interface CompositionInput {
	readonly width: number;
	readonly height: number;
	readonly background: Graphic;
	readonly places: readonly ComposedPlace[];
}

/**
 * Makes one picture out of many. Frames of any pixel format, size and shape go in, also changing ones.
 *
 * `compose` closes none of its inputs: they stay the caller's, who keeps them open until the promise settles. The frame it resolves to is the
 * caller's to close. Calls may overlap; they are worked off in order. Rejects when an input frame is closed or cannot be read.
 */
export interface Compositor {
	readonly kind: CompositorKind;
	compose(input: CompositionInput, timestampUs: number, durationUs: number): Promise<VideoFrame>;
	/** Lets go of all memory; can be called twice. `compose` rejects afterwards. */
	close(): void;
}

export type CompositorKind = "planar" | "canvas";

/** What the program is made in: BT.709, limited range (ITU-R BT.709-6 §3), as every service expects of HD. */
export const OUTPUT_COLOUR_SPACE = {
	primaries: "bt709",
	transfer: "bt709",
	matrix: "bt709",
	fullRange: false,
} as const satisfies VideoColorSpaceInit;

/** The places from back to front. */
export function backToFront(places: readonly ComposedPlace[]): ComposedPlace[] {
	return [...places].sort((a, b) => a.z - b.z);
}

/** Whether the rearmost places leave nothing of the background in sight. Places of one `z` do not overlap. */
export function coverOutput(input: CompositionInput): boolean {
	const rearmost = Math.min(...input.places.map((place) => place.z));
	const area = input.places
		.filter((place) => place.z === rearmost)
		.reduce((sum, { rect }) => sum + rect.width * rect.height, 0);
	return area >= input.width * input.height;
}
