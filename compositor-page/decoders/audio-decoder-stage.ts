import { aacCodecString, parseAudioSpecificConfig } from "../../media/aac/audio-specific-config.ts";
import type { EncodedAudioFrame } from "../../media/encoded-frame.ts";
import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import { msToUs } from "../../media/units.ts";
import { DecodedTimes } from "../audio/decoded-times.ts";
import { type PlanarPcm, PlanarPcmBuffer } from "../audio/planar-pcm.ts";

export interface AudioDecoderStageOptions {
	/** Decoded sound, valid until the call returns. */
	onAudio(pcm: PlanarPcm, ptsUs: number): void;
	/** Once for a series of errors, which ends with sound. */
	onError(reason: string): void;
	nowUs(): number;
}

/** Sound that one decoder after the other fails on is likely to stay so; each takes memory and a thread for a while. */
const RETRY: RetryPolicy = { firstMs: 100, capMs: 5_000 };
/** There is one decoder to wait for, so that no jitter is wanted: the whole wait. */
const NO_JITTER = 1;

const OPUS_SAMPLE_RATE = 48_000;

/** Decodes one person's audio. An error ends the decoder, not the page: a new one starts with the next frame, ever later the more fail in a row. */
export class AudioDecoderStage {
	readonly #options: AudioDecoderStageOptions;
	#decoder: AudioDecoder | undefined;
	#codec: EncodedAudioFrame["codec"] | undefined;
	#config: AudioDecoderConfig | undefined;
	/** What the configuration was made from. */
	#record: Uint8Array | undefined;
	readonly #pcm = new PlanarPcmBuffer();
	readonly #times = new DecodedTimes();
	#errors = 0;
	/** Errors since there was sound. */
	#errorsInARow = 0;
	#nextStartUs = Number.NEGATIVE_INFINITY;
	#handedIn = false;
	#decoded = false;

	constructor(options: AudioDecoderStageOptions) {
		this.#options = options;
	}

	get errors(): number {
		return this.#errors;
	}

	/** Something was handed in, and neither sound nor an error has come of it yet. */
	get isStarting(): boolean {
		return this.#handedIn && !this.#decoded && this.#errorsInARow === 0;
	}

	push(frame: EncodedAudioFrame): void {
		if (frame.config !== undefined || frame.codec !== this.#codec) {
			this.#reconfigure(frame);
		}
		// Empty frames are how WebRTC and some encoders say "nothing to hear"; AudioDecoder dies on them.
		if (frame.data.byteLength === 0 || this.#config === undefined) {
			return;
		}
		if (this.#decoder === undefined && this.#options.nowUs() < this.#nextStartUs) {
			return;
		}
		const decoder = this.#decoder ?? this.#start();
		try {
			if (decoder.state === "unconfigured") {
				decoder.configure(this.#config);
			}
			decoder.decode(
				new EncodedAudioChunk({ type: "key", timestamp: frame.ptsUs, data: frame.data as Uint8Array<ArrayBuffer> }),
			);
			this.#times.sent(frame.ptsUs);
			this.#handedIn = true;
		} catch (error) {
			this.#fail(decoder, error);
		}
	}

	close(): void {
		this.#discard();
		this.#config = undefined;
		this.#codec = undefined;
	}

	#reconfigure(frame: EncodedAudioFrame): void {
		this.#discard();
		if (frame.codec !== this.#codec || !sameBytes(frame.config, this.#record)) {
			this.#endSeries();
		}
		this.#codec = frame.codec;
		this.#record = frame.config;
		try {
			this.#config = decoderConfig(frame);
		} catch (error) {
			this.#config = undefined;
			this.#report(error);
		}
	}

	#start(): AudioDecoder {
		const decoder = new AudioDecoder({
			output: (data) => this.#emit(data),
			error: (error) => this.#fail(decoder, error),
		});
		this.#decoder = decoder;
		return decoder;
	}

	#emit(data: AudioData): void {
		this.#decoded = true;
		this.#endSeries();
		try {
			this.#options.onAudio(this.#pcm.copy(data), this.#times.take(data.timestamp));
		} finally {
			data.close();
		}
	}

	#fail(decoder: AudioDecoder, error: unknown): void {
		if (this.#decoder !== decoder) {
			return;
		}
		this.#discard();
		this.#report(error);
	}

	#report(error: unknown): void {
		this.#errors += 1;
		// The first may be a broken frame's: the next one gets a new decoder at once.
		const waitMs = this.#errorsInARow === 0 ? 0 : retryDelayMs(RETRY, this.#errorsInARow - 1, NO_JITTER);
		this.#nextStartUs = this.#options.nowUs() + msToUs(waitMs);
		this.#errorsInARow += 1;
		if (this.#errorsInARow === 1) {
			this.#options.onError(`audio decoder: ${error instanceof Error ? error.message : String(error)}`);
		}
	}

	#endSeries(): void {
		this.#errorsInARow = 0;
		this.#nextStartUs = Number.NEGATIVE_INFINITY;
	}

	#discard(): void {
		if (this.#decoder !== undefined && this.#decoder.state !== "closed") {
			this.#decoder.close();
		}
		this.#decoder = undefined;
		this.#times.clear();
	}
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
	return a?.byteLength === b?.byteLength && (a?.every((byte, index) => byte === b?.[index]) ?? true);
}

/** `undefined` for AAC without an AudioSpecificConfig, which cannot be decoded. */
function decoderConfig(frame: EncodedAudioFrame): AudioDecoderConfig | undefined {
	if (frame.codec === "opus") {
		return { codec: "opus", sampleRate: OPUS_SAMPLE_RATE, numberOfChannels: 2 };
	}
	if (frame.config === undefined) {
		return undefined;
	}
	const config = parseAudioSpecificConfig(frame.config);
	return {
		codec: aacCodecString(config),
		sampleRate: config.sampleRate,
		numberOfChannels: config.channels,
		description: frame.config as Uint8Array<ArrayBuffer>,
	};
}
