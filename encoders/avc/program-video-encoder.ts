import type { EncodedVideoFrame } from "../../media/encoded-frame.ts";
import { US_PER_SECOND } from "../../media/units.ts";
import { bytesOf } from "../bytes-of.ts";
import { BitrateGuard } from "./bitrate-guard.ts";
import { mainProfileCodec } from "./main-profile-codec.ts";
import { isAvc, videoEncoderConfig } from "./video-encoder-config.ts";

/** Frames that wait for the encoder at most; past it the machine is too slow, and a frame left out costs less than one late. */
const MAX_QUEUE = 3;
/** Half a second at 30 fps: an encoder takes that long for its first frame on a loaded machine, and then catches up. */
const MAX_QUEUE_BEFORE_FIRST = 15;
/** An encoder that fails this often within a minute will go on failing: the runner then replaces the page. */
const MAX_RESTARTS = 3;
const RESTARTS_WITHIN_US = 60 * US_PER_SECOND;
const SAY_AGAIN_AFTER_US = 10 * US_PER_SECOND;

/** What the guard has to make of the next frame. */
const KIND = { no: "delta", regular: "key", asked: "asked" } as const;

export interface ProgramVideoEncoderOptions {
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	readonly bitrateBps: number;
	/** Output frames from one key frame to the next; where that one is left out, the first after it. Counted anew from each that was asked for. */
	readonly keyFrameEvery: number;
	/** What `VideoEncoder` is asked for, H.264 or VP8; H.264 Main where absent. */
	readonly codec?: string;
	nowUs(): number;
	/** H.264 in AVCC form; `config` (avcC) comes with the first frame and with the first after a change. VP8 has none. */
	onFrame(frame: EncodedVideoFrame): void;
	/** Something went wrong and was mended. */
	onProblem(reason: string): void;
	/** No more frames will come. */
	onFailed(reason: string): void;
}

export interface VideoEncoderFigures {
	/** Frames left out: the encoder was behind, or the bitrate guard said so. */
	readonly droppedFrames: number;
	/** What the encoder is asked for at the moment. */
	readonly targetBitrateBps: number;
	readonly queueSize: number;
}

/** Encodes one program, or one person's picture, at a constant bitrate without reordering: as H.264 Main where nothing else is asked for. */
export class ProgramVideoEncoder {
	readonly #options: ProgramVideoEncoderOptions;
	readonly #guard: BitrateGuard;
	readonly #codec: string;
	#frameRate: number;
	#encoder: VideoEncoder | undefined;
	#config: Uint8Array | undefined;
	#state: "open" | "failed" | "closed" = "open";
	/** Of the next frame; `asked` begins the counting of groups anew. */
	#keyFrameWanted: "no" | "regular" | "asked" = "asked";
	/** Number of the frame from which groups are counted. */
	#groupsFrom = 0;
	/** How many groups there were before the latest frame; the next group begins with a key frame. */
	#group = 0;
	/** Whether the encoder at work has put out a frame. */
	#hasEmitted = false;
	#behind = 0;
	/** Time of the latest frame that was to be encoded. */
	#latestUs = 0;
	#saidThatItDropsUs = Number.NEGATIVE_INFINITY;
	#restartsUs: number[] = [];

	/** Throws when no level of H.264 holds such pictures. */
	constructor(options: ProgramVideoEncoderOptions) {
		this.#options = options;
		this.#codec = options.codec ?? mainProfileCodec(options.width, options.height, options.frameRate);
		this.#frameRate = options.frameRate;
		this.#guard = new BitrateGuard(options.bitrateBps);
	}

	get figures(): VideoEncoderFigures {
		return {
			droppedFrames: this.#behind + this.#guard.dropped,
			targetBitrateBps: this.#guard.askedBps,
			queueSize: this.#encoder?.encodeQueueSize ?? 0,
		};
	}

	/** The next frame becomes a key frame, and the regular ones follow from there. */
	requestKeyFrame(): void {
		this.#keyFrameWanted = "asked";
	}

	/** From now on fewer bits, or fewer frames, are given to it, or more again; makes no key frame. */
	setRate(bitrateBps: number, frameRate: number): void {
		this.#guard.retarget(bitrateBps, this.#latestUs);
		this.#frameRate = frameRate;
		if (this.#encoder?.state === "configured") {
			this.#encoder.configure(this.#configuration());
		}
	}

	/** Encodes output frame `index`, or leaves it out when it must. Closes `frame` in any case. */
	encode(frame: VideoFrame, index: number): void {
		try {
			this.#encode(frame, index);
		} finally {
			frame.close();
		}
	}

	/** Ends at once; may be called twice. */
	close(): void {
		this.#state = this.#state === "failed" ? "failed" : "closed";
		this.#discard();
	}

	#encode(frame: VideoFrame, index: number): void {
		if (this.#state !== "open") {
			return;
		}
		const group = Math.floor((index - this.#groupsFrom) / this.#options.keyFrameEvery);
		if (group !== this.#group) {
			// By group, not by number: the output clock skips numbers on a slow machine. Remembered, as the frame may be left out below.
			this.#group = group;
			this.#keyFrameWanted = this.#keyFrameWanted === "no" ? "regular" : this.#keyFrameWanted;
		}
		const maxQueue = this.#hasEmitted ? MAX_QUEUE : MAX_QUEUE_BEFORE_FIRST;
		if ((this.#encoder?.encodeQueueSize ?? 0) >= maxQueue) {
			this.#behind += 1;
			return;
		}
		this.#latestUs = frame.timestamp;
		if (!this.#guard.admit(frame.timestamp, KIND[this.#keyFrameWanted])) {
			this.#sayThatItDrops(frame.timestamp);
			return;
		}
		const encoder = this.#encoder ?? this.#start();
		try {
			encoder.encode(frame, { keyFrame: this.#keyFrameWanted !== "no" });
			if (this.#keyFrameWanted === "asked") {
				this.#groupsFrom = index;
				this.#group = 0;
			}
			this.#keyFrameWanted = "no";
		} catch (error) {
			this.#restart(encoder, error);
		}
	}

	#start(): VideoEncoder {
		const encoder = new VideoEncoder({
			output: (chunk, metadata) => this.#emit(encoder, chunk, metadata),
			error: (error) => this.#restart(encoder, error),
		});
		this.#encoder = encoder;
		this.#hasEmitted = false;
		this.#keyFrameWanted = "asked";
		encoder.configure(this.#configuration());
		return encoder;
	}

	#configuration(): VideoEncoderConfig {
		const { width, height } = this.#options;
		const [codec, frameRate, bitrateBps] = [this.#codec, this.#frameRate, this.#guard.askedBps];
		return videoEncoderConfig({ codec, width, height, frameRate, bitrateBps });
	}

	/** Frames left out come in rows: one word for each row. */
	#sayThatItDrops(atUs: number): void {
		if (atUs - this.#saidThatItDropsUs >= SAY_AGAIN_AFTER_US) {
			this.#saidThatItDropsUs = atUs;
			const asked = `${this.#guard.askedBps} b/s asked for, ${this.#guard.rateBps(atUs)} in the last second`;
			this.#options.onProblem(`video encoder: leaves frames out to hold its bitrate (${asked})`);
		}
	}

	#emit(encoder: VideoEncoder, chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void {
		if (this.#encoder !== encoder) {
			return;
		}
		this.#hasEmitted = true;
		const data = new Uint8Array(chunk.byteLength);
		chunk.copyTo(data);
		const hasConfig = isAvc(this.#codec);
		const config = hasConfig ? this.#changedConfig(metadata) : undefined;
		const codec = hasConfig ? "avc" : "vp8";
		const ptsUs = chunk.timestamp;
		const keyFrame = chunk.type === "key";
		this.#options.onFrame({
			...{ track: "video", codec, keyFrame, ptsUs, dtsUs: ptsUs, data },
			...(config === undefined ? {} : { config }),
		});
		const asksAnew = this.#guard.note(data.byteLength, ptsUs);
		// The one who took the frame may have closed this encoder.
		if (asksAnew && encoder.state === "configured") {
			encoder.configure(this.#configuration());
		}
	}

	#changedConfig(metadata: EncodedVideoChunkMetadata | undefined): Uint8Array | undefined {
		const description = metadata?.decoderConfig?.description;
		if (description === undefined) {
			return undefined;
		}
		const config = bytesOf(description).slice();
		const known = this.#config;
		if (known !== undefined && known.length === config.length && known.every((byte, at) => byte === config[at])) {
			return undefined;
		}
		this.#config = config;
		return config;
	}

	#restart(encoder: VideoEncoder, error: unknown): void {
		if (this.#encoder !== encoder || this.#state !== "open") {
			return;
		}
		const { nowUs, onProblem, onFailed } = this.#options;
		const reason = `video encoder: ${error instanceof Error ? error.message : String(error)}`;
		const atUs = nowUs();
		this.#discard();
		this.#restartsUs = [...this.#restartsUs.filter((each) => each > atUs - RESTARTS_WITHIN_US), atUs];
		if (this.#restartsUs.length > MAX_RESTARTS) {
			this.#state = "failed";
			onFailed(reason);
		} else {
			onProblem(reason);
		}
	}

	#discard(): void {
		if (this.#encoder !== undefined && this.#encoder.state !== "closed") {
			this.#encoder.close();
		}
		this.#encoder = undefined;
	}
}
