import type { EncodedVideoFrame } from "../../media/encoded-frame.ts";
import { US_PER_SECOND } from "../../media/units.ts";
import { BitrateGuard } from "./bitrate-guard.ts";
import { mainProfileCodec } from "./main-profile-codec.ts";

/** Frames that wait for the encoder at most; past it the machine is too slow, and a frame left out costs less than one late. */
const MAX_QUEUE = 3;
/** Half a second at 30 fps: an encoder takes that long for its first frame on a loaded machine, and then catches up. */
const MAX_QUEUE_BEFORE_FIRST = 15;
/** An encoder that fails this often within a minute will go on failing: the runner then replaces the page. */
const MAX_RESTARTS = 3;
const RESTARTS_WITHIN_US = 60 * US_PER_SECOND;

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
		this.#guard.retarget(bitrateBps, this.#options.nowUs());
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
		if (this.#guard.shouldDrop(this.#options.nowUs())) {
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

	get #isAvc(): boolean {
		return this.#codec.startsWith("avc1");
	}

	#configuration(): VideoEncoderConfig {
		const { width, height } = this.#options;
		return {
			codec: this.#codec,
			width,
			height,
			framerate: this.#frameRate,
			bitrate: this.#guard.askedBps,
			bitrateMode: "constant",
			latencyMode: "realtime",
			...(this.#isAvc ? { avc: { format: "avc" } } : {}),
		};
	}

	#emit(encoder: VideoEncoder, chunk: EncodedVideoChunk, metadata: EncodedVideoChunkMetadata | undefined): void {
		if (this.#encoder !== encoder) {
			return;
		}
		this.#hasEmitted = true;
		const data = new Uint8Array(chunk.byteLength);
		chunk.copyTo(data);
		const config = this.#isAvc ? this.#changedConfig(metadata) : undefined;
		const codec = this.#isAvc ? "avc" : "vp8";
		const ptsUs = chunk.timestamp;
		const keyFrame = chunk.type === "key";
		this.#options.onFrame({
			...{ track: "video", codec, keyFrame, ptsUs, dtsUs: ptsUs, data },
			...(config === undefined ? {} : { config }),
		});
		const asksAnew = this.#guard.note(data.byteLength, this.#options.nowUs());
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

function bytesOf(source: AllowSharedBufferSource): Uint8Array {
	return ArrayBuffer.isView(source)
		? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
		: new Uint8Array(source);
}
