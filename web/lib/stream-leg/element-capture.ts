import { msToUs } from "../../../media/units.ts";
import type { OpenedSource } from "./track-source.ts";

/** Gives every new picture of a track as a video element shows it; the receiver owns it. For browsers that have no other way. */
export function captureElement(track: MediaStreamTrack, onPicture: (frame: VideoFrame) => void): OpenedSource {
	const element = document.createElement("video");
	let closed = false;
	element.muted = true;
	element.playsInline = true;
	element.srcObject = new MediaStream([track]);
	const next = () => {
		element.requestVideoFrameCallback((nowMs, { captureTime }) => {
			if (closed) {
				return;
			}
			onPicture(new VideoFrame(element, { timestamp: Math.round(msToUs(captureTime ?? nowMs)) }));
			next();
		});
	};
	next();
	// Refused only once it is closed: the element makes no sound, so that no gesture is asked for.
	element.play().catch(() => undefined);
	return {
		close: () => {
			closed = true;
			element.pause();
			element.srcObject = null;
		},
	};
}
