import { msToUs } from "../../../media/units.ts";
import { Playback } from "./playback.ts";
import type { FromStreamPlay, SoundHeard, ToStreamPlay } from "./worker-messages.ts";

/** The dedicated worker of one stream player. */

/** W3C mediacapture-transform: TypeScript does not know it. Safari has it in workers. */
interface TrackGenerator {
	readonly track: MediaStreamTrack;
	readonly writable: WritableStream<VideoFrame>;
}

let playback: Playback | undefined;

function post(message: FromStreamPlay, transfer: Transferable[] = []): void {
	self.postMessage(message, { transfer });
}

/** The best way there is to show pictures: the page's own, a track made here, or one by one. */
function pictureSink(pictures: WritableStream<VideoFrame> | undefined): (frame: VideoFrame) => void {
	const writable = pictures ?? madeTrack();
	if (writable === undefined) {
		return (frame) => post({ type: "picture", frame }, [frame]);
	}
	const writer = writable.getWriter();
	let writing = false;
	return (frame) => {
		// One that is not shown when the next is there has been overtaken.
		if (writing) {
			frame.close();
			return;
		}
		writing = true;
		const done = () => {
			writing = false;
		};
		writer.write(frame).then(done, () => frame.close()); // The track was stopped: nobody looks any more.
	};
}

function madeTrack(): WritableStream<VideoFrame> | undefined {
	const { VideoTrackGenerator } = globalThis as { VideoTrackGenerator?: new () => TrackGenerator };
	if (VideoTrackGenerator === undefined) {
		return undefined;
	}
	const { track, writable } = new VideoTrackGenerator();
	post({ type: "track", track }, [track as unknown as Transferable]);
	return writable;
}

self.onmessage = ({ data: message }: MessageEvent<ToStreamPlay>) => {
	switch (message.type) {
		case "start": {
			const { sound } = message;
			playback = new Playback({
				...message.options,
				nowUs: () => msToUs(performance.now()),
				onState: (state, reason) => post({ type: "state", state, ...(reason === undefined ? {} : { reason }) }),
				onPicture: pictureSink(message.pictures),
				onSound: (made) => sound.postMessage(made, [made.samples.buffer]),
			});
			sound.onmessage = ({ data }: MessageEvent<SoundHeard>) => playback?.heard(data);
			break;
		}
		case "expected":
			playback?.setExpected(message.expected);
			break;
		case "close":
			playback?.close();
			post({ type: "closed" });
			break;
		default:
			message satisfies never;
	}
};
