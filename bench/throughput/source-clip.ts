import { avcCodecString, parseAvcConfig } from "../../media/avc/avc-config.ts";
import type { EncodedVideoFrame } from "../../media/encoded-frame.ts";
import { FlvFrameReader } from "../../media/flv/frame-reader.ts";
import { FlvTagReader } from "../../media/flv/tag-reader.ts";

/** Decoded pictures that wait for the compositor: enough to keep the decoder at work. */
const DECODED_AHEAD = 8;

/** A clip that is decoded a few pictures ahead. */
export class SourceClip {
	readonly #chunks: readonly EncodedVideoFrame[];
	readonly #decoder: VideoDecoder;
	readonly #ready: VideoFrame[] = [];
	#fed = 0;
	#waiting: PromiseWithResolvers<VideoFrame> | undefined;

	/** @param clip an FLV file with H.264 */
	constructor(clip: Uint8Array) {
		const frames = videoFrames(clip);
		const config = frames.find((frame) => frame.config !== undefined)?.config;
		if (config === undefined) {
			throw new Error("throughput: expected a clip with a configuration, got none");
		}
		this.#chunks = frames.filter(({ data }) => data.length > 0);
		this.#decoder = new VideoDecoder({
			output: (frame) => this.#take(frame),
			error: (error) => this.#waiting?.reject(error),
		});
		const codec = avcCodecString(parseAvcConfig(config));
		this.#decoder.configure({ codec, description: config, optimizeForLatency: true });
	}

	next(): Promise<VideoFrame> {
		this.#feed();
		const ready = this.#ready.shift();
		if (ready !== undefined) {
			this.#feed();
			return Promise.resolve(ready);
		}
		this.#waiting = Promise.withResolvers();
		return this.#waiting.promise;
	}

	close(): void {
		this.#decoder.close();
		for (const frame of this.#ready.splice(0)) {
			frame.close();
		}
	}

	#take(frame: VideoFrame): void {
		const waiting = this.#waiting;
		if (waiting === undefined) {
			this.#ready.push(frame);
		} else {
			this.#waiting = undefined;
			waiting.resolve(frame);
		}
		this.#feed();
	}

	#feed(): void {
		while (this.#ready.length + this.#decoder.decodeQueueSize < DECODED_AHEAD) {
			const chunk = this.#chunks[this.#fed];
			if (chunk === undefined) {
				return;
			}
			this.#fed += 1;
			const { data, keyFrame, ptsUs: timestamp } = chunk;
			this.#decoder.decode(new EncodedVideoChunk({ type: keyFrame ? "key" : "delta", timestamp, data }));
			if (this.#fed === this.#chunks.length) {
				// What it holds back for frames that might follow comes out.
				void this.#decoder.flush().catch(() => undefined);
			}
		}
	}
}

function videoFrames(clip: Uint8Array): EncodedVideoFrame[] {
	const reader = new FlvFrameReader();
	return new FlvTagReader()
		.push(clip)
		.flatMap((tag) => reader.push(tag))
		.filter((frame) => frame.track === "video");
}
