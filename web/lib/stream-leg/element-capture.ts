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
			next();
			const frame = pictureOf(element, Math.round(msToUs(captureTime ?? nowMs)));
			if (frame !== undefined) {
				onPicture(frame);
			}
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

/** The picture an element shows; `undefined` where it has none, as when it is called back before it has loaded its first (Chromium, on a busy machine). */
function pictureOf(element: HTMLVideoElement, timestampUs: number): VideoFrame | undefined {
	try {
		return new VideoFrame(element, { timestamp: timestampUs });
	} catch (error) {
		if (error instanceof DOMException && error.name === "InvalidStateError") {
			return undefined;
		}
		throw error;
	}
}
