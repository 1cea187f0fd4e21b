import type { EncodedAudioFrame } from "../../media/encoded-frame.ts";
import { samplesToUs } from "../../media/units.ts";
import {
	AAC_FRAME_SAMPLES,
	type AacBackend,
	type OpenAacBackend,
	PROGRAM_CHANNELS,
	PROGRAM_RATE,
	toError,
} from "./aac-backend.ts";
import { measureAacPriming } from "./aac-priming.ts";
import { openNativeAac } from "./native-aac.ts";
import { openWasmAac } from "./wasm-aac.ts";

const BITRATE_BPS = 128_000;
/** Sound that is in but not out: an encoder this far behind never catches up with a live program. */
const MAX_BACKLOG_SAMPLES = 3 * PROGRAM_RATE;

export type AacKind = "native" | "wasm";

const BACKENDS: readonly (readonly [AacKind, OpenAacBackend])[] = [
	["native", openNativeAac],
	["wasm", openWasmAac],
];

/** No encoder works here: going live would mean going live without sound. */
export class NoAacEncoderError extends Error {
	override readonly name = "NoAacEncoderError";
}

export interface AacSupport {
	readonly kind: AacKind;
	/** By how many samples decoded sound is later than what was encoded; already taken off the frames' times. */
	readonly primingSamples: number;
}

export interface ProgramAudioEncoderOptions {
	readonly bitrateBps?: number;
	/** What sound lags behind the program's time before it gets here, such as a limiter's look-ahead. */
	readonly latencySamples?: number;
	/** Every encoded frame in order; the first has the configuration. `ptsUs` is program time: sample 0 is at 0. */
	onFrame(frame: EncodedAudioFrame): void;
	/** The encoder broke; no more frames will come. */
	onError(error: Error): void;
}

/** Finds the first encoder that really works, by encoding and decoding a sound. Throws {@link NoAacEncoderError}. */
export async function probeAacEncoder(bitrateBps = BITRATE_BPS): Promise<AacSupport> {
	const reasons: string[] = [];
	for (const [kind, open] of BACKENDS) {
		try {
			return { kind, primingSamples: await measureAacPriming(open, bitrateBps) };
		} catch (error) {
			reasons.push(`${kind}: ${toError(error).message}`);
		}
	}
	throw new NoAacEncoderError(`audio encoder: expected one that can encode AAC, got ${reasons.join("; ")}`);
}

/**
 * Encodes the program's sound: 48 kHz stereo in, counted in samples from 0, raw AAC-LC frames of 1,024 samples out.
 *
 * An encoder's frames start before the sound that it was given (priming). Their times are set so that what is decoded lies
 * where it was in the program; those that would lie before 0 are left out, for FLV has no time before 0.
 */
export class ProgramAudioEncoder {
	readonly support: AacSupport;
	readonly #options: ProgramAudioEncoderOptions;
	#backend: AacBackend | undefined;
	#state: "open" | "failed" | "closed" = "open";
	#samplesIn = 0;
	#framesOut = 0;
	#config: Uint8Array | undefined;

	private constructor(support: AacSupport, options: ProgramAudioEncoderOptions) {
		this.support = support;
		this.#options = options;
	}

	/** Probes unless told what works. Throws {@link NoAacEncoderError} when nothing does. */
	static async create(options: ProgramAudioEncoderOptions, support?: AacSupport): Promise<ProgramAudioEncoder> {
		const bitrateBps = options.bitrateBps ?? BITRATE_BPS;
		const encoder = new ProgramAudioEncoder(support ?? (await probeAacEncoder(bitrateBps)), options);
		const open = encoder.support.kind === "native" ? openNativeAac : openWasmAac;
		encoder.#backend = await open(bitrateBps, {
			onPacket: (data, config) => encoder.#emit(data, config),
			onError: (error) => encoder.#fail(error),
		});
		return encoder;
	}

	get samplesIn(): number {
		return this.#samplesIn;
	}

	/** Sound that is in but not out yet; at least one frame, as an encoder looks ahead. */
	get backlogSamples(): number {
		return this.#samplesIn - this.#framesOut * AAC_FRAME_SAMPLES;
	}

	/** Takes the next `frames` samples of interleaved stereo. Copies them; a call after an end or a failure does nothing. */
	push(samples: Float32Array, frames: number): void {
		if (this.#state !== "open" || frames === 0) {
			return;
		}
		if (this.backlogSamples > MAX_BACKLOG_SAMPLES) {
			this.#fail(new Error(`audio encoder: expected a backlog under 3 s, got ${this.backlogSamples} samples`));
			return;
		}
		this.#backend?.push(samples.subarray(0, frames * PROGRAM_CHANNELS), this.#samplesIn);
		this.#samplesIn += frames;
	}

	/** Resolves when all that was pushed has come out; ends the encoder. */
	async finish(): Promise<void> {
		if (this.#state === "open") {
			await this.#backend?.finish();
		}
		this.close();
	}

	/** Ends at once; may be called twice. */
	close(): void {
		this.#state = this.#state === "failed" ? "failed" : "closed";
		this.#backend?.close();
	}

	#emit(data: Uint8Array, config: Uint8Array | undefined): void {
		if (this.#state !== "open") {
			return;
		}
		const firstSample =
			this.#framesOut * AAC_FRAME_SAMPLES - this.support.primingSamples - (this.#options.latencySamples ?? 0);
		this.#framesOut += 1;
		this.#config ??= config;
		if (firstSample < 0) {
			return;
		}
		const ptsUs = Math.round(samplesToUs(firstSample, PROGRAM_RATE));
		const frame: EncodedAudioFrame = { track: "audio", codec: "aac", keyFrame: true, ptsUs, dtsUs: ptsUs, data };
		this.#options.onFrame(this.#config === undefined ? frame : { ...frame, config: this.#config });
		this.#config = undefined;
	}

	#fail(error: Error): void {
		if (this.#state === "open") {
			this.#state = "failed";
			this.#backend?.close();
			this.#options.onError(error);
		}
	}
}
