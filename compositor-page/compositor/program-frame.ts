import { OUTPUT_COLOUR_SPACE } from "./compositor.ts";
import type { PictureBuffer } from "./planar/picture-buffer.ts";

/** A frame with a copy of `picture`, which may be used again at once. */
export function programFrame(picture: PictureBuffer, timestampUs: number, durationUs: number): VideoFrame {
	return new VideoFrame(picture.bytes, {
		format: "I420",
		codedWidth: picture.width,
		codedHeight: picture.height,
		layout: [...picture.planes],
		timestamp: timestampUs,
		duration: durationUs,
		colorSpace: OUTPUT_COLOUR_SPACE,
	});
}
