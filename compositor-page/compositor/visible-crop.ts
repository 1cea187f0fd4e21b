import type { Rect } from "../../media/layout.ts";
import { cropToFill } from "../layouts/crop-to-fill.ts";

/** The size in which a frame is meant to be seen, and the part of its coded picture that holds it. */
export interface FrameGeometry {
	readonly visible: Rect;
	readonly displayWidth: number;
	readonly displayHeight: number;
}

/** The part of a frame that fills `place`, in coded pixels as `VideoFrame.copyTo` counts them, even on every side. */
export function visibleCrop(geometry: FrameGeometry, place: { width: number; height: number }): Rect {
	const { visible, displayWidth, displayHeight } = geometry;
	// An odd corner would split a chroma sample: start one pixel further in.
	const x = Math.ceil(visible.x / 2) * 2;
	const y = Math.ceil(visible.y / 2) * 2;
	const pixelAspect = displayWidth / visible.width / (displayHeight / visible.height);
	const crop = cropToFill(visible.width - (x - visible.x), visible.height - (y - visible.y), place, pixelAspect);
	return { x: x + crop.x, y: y + crop.y, width: crop.width, height: crop.height };
}

/** Throws when the frame is closed: a closed frame has no picture. */
export function geometryOf(frame: VideoFrame): FrameGeometry {
	if (frame.visibleRect === null) {
		throw new Error("compositor: expected an open video frame, got a closed one");
	}
	const { x, y, width, height } = frame.visibleRect;
	return { visible: { x, y, width, height }, displayWidth: frame.displayWidth, displayHeight: frame.displayHeight };
}
