import { msToUs } from "../../../media/units.ts";
import { PlanarPcmBuffer } from "../../../playout/audio/planar-pcm.ts";
import { StreamLeg } from "./stream-leg.ts";
import { trackProcessor } from "./track-processor.ts";
import type { FromStreamLeg, SoundBlock, ToStreamLeg } from "./worker-messages.ts";

/** The dedicated worker of one stream leg: gets at the frames of its sources and hands them on. */

type Stop = () => void;

let leg: StreamLeg | undefined;
/** Number and end of the newest source of each kind; what older ones still give is let go of. */
const sources: Record<"audio" | "video", { number: number; stop: Stop }> = {
	audio: { number: 0, stop: () => undefined },
	video: { number: 0, stop: () => undefined },
};
const pcm = new PlanarPcmBuffer();

function post(message: FromStreamLeg): void {
	self.postMessage(message);
}

/** Reads until the stream ends or is stopped; each unit is the taker's. That a source has ended is told by whoever opened it. */
function read<Unit extends { close(): void }>(stream: ReadableStream<Unit>, take: (unit: Unit) => void): Stop {
	const reader = stream.getReader();
	let stopped = false;
	const run = async () => {
		for (let next = await reader.read(); !next.done; next = await reader.read()) {
			if (stopped) {
				next.value.close();
			} else {
				take(next.value);
			}
		}
	};
	run().catch((error: unknown) => console.warn(`stream leg: expected a source to be read, got ${error}`));
	return () => {
		stopped = true;
		reader.cancel().catch(() => undefined); // It had failed already, and that was said.
	};
}

function begin(track: "audio" | "video", number: number, stop: Stop): void {
	sources[track].stop();
	sources[track] = { number, stop };
}

function readPictures(frames: ReadableStream<VideoFrame> | MediaStreamTrack): Stop {
	const take = (frame: VideoFrame) => {
		if (leg === undefined) {
			frame.close();
		} else {
			leg.pushPicture(frame);
		}
	};
	if (frames instanceof ReadableStream) {
		return read(frames, take);
	}
	const Processor = trackProcessor();
	if (Processor === undefined) {
		throw new Error("stream leg: expected a way to read a track in a worker, got none");
	}
	const stop = read(new Processor<VideoFrame>({ track: frames }).readable, take);
	return () => {
		stop();
		frames.stop();
	};
}

function readSound(blocks: ReadableStream<AudioData> | MessagePort): Stop {
	if (blocks instanceof ReadableStream) {
		return read(blocks, (data) => {
			try {
				leg?.pushSound(pcm.copy(data), data.timestamp);
			} finally {
				data.close();
			}
		});
	}
	blocks.onmessage = ({ data }: MessageEvent<SoundBlock>) => {
		const { channels, sampleRate, timestampUs } = data;
		leg?.pushSound({ sampleRate, frames: channels[0]?.length ?? 0, channels }, timestampUs);
	};
	return () => blocks.close();
}

self.onmessage = ({ data: message }: MessageEvent<ToStreamLeg>) => {
	switch (message.type) {
		case "start":
			leg = new StreamLeg({
				options: message.options,
				nowUs: () => msToUs(performance.timeOrigin + performance.now()),
				onState: (state) => post({ type: "state", state }),
				onNotice: (notice) => post({ type: "notice", notice }),
			});
			break;
		case "video":
			begin("video", message.source, message.frames === undefined ? () => undefined : readPictures(message.frames));
			leg?.beginPictures(message.mayCut);
			break;
		case "picture":
			if (message.source === sources.video.number && leg !== undefined) {
				leg.pushPicture(message.frame);
			} else {
				message.frame.close();
			}
			break;
		case "audio":
			begin("audio", message.source, readSound(message.blocks));
			leg?.beginSound();
			break;
		case "flows":
			if (message.source === sources[message.track].number) {
				leg?.setFlows(message.track, message.flows);
			}
			break;
		case "none":
			begin(message.track, 0, () => undefined);
			leg?.clear(message.track);
			break;
		case "rate":
			leg?.setRate(message.advice);
			break;
		case "close":
			begin("video", 0, () => undefined);
			begin("audio", 0, () => undefined);
			leg?.close();
			post({ type: "closed" });
			break;
		default:
			message satisfies never;
	}
};
