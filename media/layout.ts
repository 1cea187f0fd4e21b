/** The layouts a scene can have. Each is a pure function from people and output size to rectangles. */
export const LAYOUT_NAMES = ["solo", "pip", "landscape", "vertical", "grid"] as const;

export type LayoutName = (typeof LAYOUT_NAMES)[number];

/** A rectangle in output pixels; all four numbers are even, so that I420 chroma lines up. */
export interface Rect {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}
