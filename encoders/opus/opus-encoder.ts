import type { EncodedAudioFrame } from "../../media/encoded-frame.ts";
import { samplesToUs } from "../../media/units.ts";
import { bytesOf } from "../bytes-of.ts";

const OPUS_RATE = 48_000;
const CHANNELS = 2;
/** One frame: 20 ms, what WebRTC sends too. */
const FRAME_US = 20_000;
const FRAME_SAMPLES = 960;
/** Where OpusHead says by how many samples decoded sound is later than what was encoded (RFC 7845 §5.1). */
const PRE_SKIP_OFFSET = 10;
/** What libopus has for a general signal, where an encoder does not say. */
const USUAL_PRE_SKIP = 312;

const CONFIG: AudioEncoderConfig = {
	codec: "opus",
	sampleRate: OPUS_RATE,
	numberOfChannels: CHANNELS,
	opus: { format: "opus", frameDuration: FRAME_US },
};

export interface OpusEncoderOptions {
	readonly bitrateBps: number;
	/** Every encoded frame in order; the first has the configuration. `ptsUs` counts from the first sample that was pushed. */
	onFrame(frame: EncodedAudioFrame): void;
	/** The encoder broke; no more frames will come. */
	onError(error: Error): void;
}

/** Whether this browser encodes Opus. */
export async function supportsOpus(): Promise<boolean> {
	if (typeof AudioEncoder === "undefined") {
		return false;
	}
	return (await AudioEncoder.isConfigSupported(CONFIG)).supported === true;
}

/** Encodes 48 kHz stereo, counted in samples from 0, as Opus frames of 20 ms whose times are those of what is heard of them. */
export class OpusEncoder {
	readonly #options: OpusEncoderOptions;
	readonly #encoder: AudioEncoder;
	#state: "open" | "failed" | "closed" = "open";
	#samplesIn = 0;
	#framesOut = 0;
	#preSkip = USUAL_PRE_SKIP;
	#config: Uint8Array | undefined;

	constructor(options: OpusEncoderOptions) {
		this.#options = options;
		this.#encoder = new AudioEncoder({
			output: (chunk, metadata) => this.#emit(chunk, metadata),
			error: (error) => this.#fail(error),
		});
		this.#encoder.configure({ ...CONFIG, bitrate: options.bitrateBps });
	}

	get samplesIn(): number {
		return this.#samplesIn;
	}

	/** Takes the next `frames` samples of interleaved stereo. Copies them; a call after an end or a failure does nothing. */
	push(samples: Float32Array, frames: number): void {
		if (this.#state !== "open" || frames === 0) {
			return;
		}
		const data = new AudioData({
			format: "f32",
			sampleRate: OPUS_RATE,
			numberOfChannels: CHANNELS,
			numberOfFrames: frames,
			timestamp: Math.round(samplesToUs(this.#samplesIn, OPUS_RATE)),
			data: samples.slice(0, frames * CHANNELS),
		});
		this.#samplesIn += frames;
		try {
			this.#encoder.encode(data);
		} catch (error) {
			this.#fail(error instanceof Error ? error : new Error(String(error)));
		} finally {
			data.close();
		}
	}

	/** Ends at once; may be called twice. */
	close(): void {
		this.#state = this.#state === "failed" ? "failed" : "closed";
		if (this.#encoder.state !== "closed") {
			this.#encoder.close();
		}
	}

	#emit(chunk: EncodedAudioChunk, metadata: EncodedAudioChunkMetadata | undefined): void {
		if (this.#state !== "open") {
			return;
		}
		const description = metadata?.decoderConfig?.description;
		const config = description === undefined || this.#config !== undefined ? undefined : bytesOf(description).slice();
		if (config !== undefined) {
			this.#config = config;
			this.#preSkip = new DataView(config.buffer).getUint16(PRE_SKIP_OFFSET, true);
		}
		const data = new Uint8Array(chunk.byteLength);
		chunk.copyTo(data);
		const ptsUs = Math.round(samplesToUs(this.#framesOut * FRAME_SAMPLES - this.#preSkip, OPUS_RATE));
		this.#framesOut += 1;
		const frame: EncodedAudioFrame = { track: "audio", codec: "opus", keyFrame: true, ptsUs, dtsUs: ptsUs, data };
		this.#options.onFrame(config === undefined ? frame : { ...frame, config });
	}

	#fail(error: Error): void {
		if (this.#state === "open") {
			this.#state = "failed";
			this.close();
			this.#options.onError(error);
		}
	}
}
