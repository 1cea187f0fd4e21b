import { captureElement } from "./element-capture.ts";
import { trackProcessor } from "./track-processor.ts";
import type { ToStreamLeg } from "./worker-messages.ts";
import { captureWorklet } from "./worklet-capture.ts";

/** `enabled`, and an end by `stop()`, are told by no event. */
const LOOK_EVERY_MS = 100;
/** A reader that is late by more gets what is new. Sound must not lose any in a stall of the worker's. */
const PICTURES_KEPT = 2;
const SOUNDS_KEPT = 100;

export interface OpenedSource {
	/** The worker is told apart; the track stays as it is. */
	close(): void;
}

export type PostToStreamLeg = (message: ToStreamLeg, transfer?: Transferable[]) => void;

/**
 * Has the worker get a track's pictures, in the best way there is: as a stream of them, by the track itself (Safari), or one by one out of a video
 * element (Firefox). A screen is shown whole.
 */
export function openPictures(track: MediaStreamTrack, source: number, post: PostToStreamLeg): OpenedSource {
	const mayCut = track.getSettings().displaySurface === undefined;
	const watch = watchFlow(track, (flows) => post({ type: "flows", source, track: "video", flows }));
	const Processor = trackProcessor();
	if (Processor !== undefined) {
		const frames = new Processor<VideoFrame>({ track, maxBufferSize: PICTURES_KEPT }).readable;
		post({ type: "video", source, frames, mayCut }, [frames]);
		watch.start();
		return watch;
	}
	const copy = track.clone();
	try {
		post({ type: "video", source, frames: copy, mayCut }, [copy as unknown as Transferable]);
		watch.start();
		return watch;
	} catch {
		// Tracks cannot be given to workers here. The element below can do it in every browser.
		copy.stop();
	}
	post({ type: "video", source, mayCut });
	const element = captureElement(track, (frame) => post({ type: "picture", source, frame }, [frame]));
	watch.start();
	return {
		close: () => {
			watch.close();
			element.close();
		},
	};
}

/** Likewise for sound: as a stream, or block by block from an audio worklet. */
export function openSound(track: MediaStreamTrack, source: number, post: PostToStreamLeg): OpenedSource {
	const watch = watchFlow(track, (flows) => post({ type: "flows", source, track: "audio", flows }));
	const Processor = trackProcessor();
	if (Processor !== undefined) {
		const blocks = new Processor<AudioData>({ track, maxBufferSize: SOUNDS_KEPT }).readable;
		post({ type: "audio", source, blocks }, [blocks]);
		watch.start();
		return watch;
	}
	const { port1, port2 } = new MessageChannel();
	post({ type: "audio", source, blocks: port1 }, [port1]);
	const worklet = captureWorklet(track, port2);
	watch.start();
	return {
		close: () => {
			watch.close();
			worklet.close();
		},
	};
}

interface FlowWatch extends OpenedSource {
	start(): void;
}

/** Says whether anything comes of the track, at first and on each change. */
function watchFlow(track: MediaStreamTrack, onFlow: (flows: boolean) => void): FlowWatch {
	let said: boolean | undefined;
	let timer: ReturnType<typeof setInterval> | undefined;
	const look = () => {
		const flows = track.readyState === "live" && track.enabled && !track.muted;
		if (flows !== said) {
			said = flows;
			onFlow(flows);
		}
	};
	const events = ["mute", "unmute", "ended"] as const;
	return {
		start: () => {
			look();
			for (const event of events) {
				track.addEventListener(event, look);
			}
			timer = setInterval(look, LOOK_EVERY_MS);
		},
		close: () => {
			clearInterval(timer);
			for (const event of events) {
				track.removeEventListener(event, look);
			}
		},
	};
}
