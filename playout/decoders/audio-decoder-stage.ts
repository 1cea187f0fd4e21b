import { aacCodecString, parseAudioSpecificConfig } from "../../media/aac/audio-specific-config.ts";
import type { EncodedAudioFrame } from "../../media/encoded-frame.ts";
import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import { msToUs } from "../../media/units.ts";
import { DecodedTimes } from "../audio/decoded-times.ts";
import { type PlanarPcm, PlanarPcmBuffer } from "../audio/planar-pcm.ts";

export interface AudioDecoderStageOptions {
	/**
	 * Decoded sound, valid until the call returns.
	 *
	 * @param isFirst of a decoder: its wave does not go on where the one before ended
	 */
	onAudio(pcm: PlanarPcm, ptsUs: number, isFirst: boolean): void;
	/** Once for a series of errors, which ends with sound. */
	onError(reason: string): void;
	nowUs(): number;
}

/** Sound that one decoder after the other fails on is likely to stay so; each takes memory and a thread for a while. */
const RETRY: RetryPolicy = { firstMs: 100, capMs: 5_000 };
/** There is one decoder to wait for, so that no jitter is wanted: the whole wait. */
const NO_JITTER = 1;

const OPUS_SAMPLE_RATE = 48_000;
/** What comes while a decoder gives out its last: a second of AAC, of which it has some hundredths. More means that it never ends. */
const MAX_HELD = 50;

interface Decoding {
	readonly decoder: AudioDecoder;
	readonly times: DecodedTimes;
	isFresh: boolean;
}

/**
 * Decodes one person's audio. An error ends the decoder, not the page: a new one starts with the next frame, ever later the more fail in a row. Where the
 * codec changes in mid-speech what the old decoder still holds comes first.
 */
export class AudioDecoderStage {
	readonly #options: AudioDecoderStageOptions;
	#decoding: Decoding | undefined;
	/** An older decoder, which is to give out what it has, and what has come since. */
	#leaving: { readonly decoding: Decoding; readonly held: EncodedAudioFrame[] } | undefined;
	#codec: EncodedAudioFrame["codec"] | undefined;
	#config: AudioDecoderConfig | undefined;
	/** What the configuration was made from. */
	#record: Uint8Array | undefined;
	readonly #pcm = new PlanarPcmBuffer();
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
		const leaving = this.#leaving;
		if (leaving !== undefined) {
			leaving.held.push(frame);
			if (leaving.held.length > MAX_HELD) {
				this.#goOnWithout(leaving.decoding);
			}
			return;
		}
		if (frame.config !== undefined || frame.codec !== this.#codec) {
			this.#reconfigure(frame);
			if (this.#leaving !== undefined) {
				return; // It waits there, with what comes after it.
			}
		}
		// Empty frames are how WebRTC and some encoders say "nothing to hear"; AudioDecoder dies on them.
		if (frame.data.byteLength === 0 || this.#config === undefined) {
			return;
		}
		if (this.#decoding === undefined && this.#options.nowUs() < this.#nextStartUs) {
			return;
		}
		const decoding = this.#decoding ?? this.#start();
		const { decoder, times } = decoding;
		try {
			if (decoder.state === "unconfigured") {
				decoder.configure(this.#config);
			}
			decoder.decode(
				new EncodedAudioChunk({ type: "key", timestamp: frame.ptsUs, data: frame.data as Uint8Array<ArrayBuffer> }),
			);
			times.sent(frame.ptsUs);
			this.#handedIn = true;
		} catch (error) {
			this.#fail(decoding, error);
		}
	}

	close(): void {
		this.#discard();
		const leaving = this.#leaving;
		this.#leaving = undefined;
		closeDecoder(leaving?.decoding.decoder);
		this.#config = undefined;
		this.#codec = undefined;
	}

	#reconfigure(frame: EncodedAudioFrame): void {
		const old = this.#decoding;
		if (old !== undefined && frame.codec !== this.#codec && old.decoder.state === "configured") {
			this.#letGo(old, frame);
			return;
		}
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

	/** The old decoder gives out what it holds, then `frame` and what comes after it go on in another. */
	#letGo(old: Decoding, frame: EncodedAudioFrame): void {
		this.#decoding = undefined;
		this.#codec = undefined;
		this.#leaving = { decoding: old, held: [frame] };
		old.decoder.flush().then(
			() => this.#goOnWithout(old),
			() => this.#goOnWithout(old),
		);
	}

	#goOnWithout(old: Decoding): void {
		const leaving = this.#leaving;
		if (leaving?.decoding !== old) {
			return;
		}
		this.#leaving = undefined;
		closeDecoder(old.decoder);
		for (const frame of leaving.held) {
			this.push(frame);
		}
	}

	#start(): Decoding {
		const decoder = new AudioDecoder({
			output: (data) => this.#emit(decoding, data),
			error: (error) => this.#fail(decoding, error),
		});
		const decoding: Decoding = { decoder, times: new DecodedTimes(), isFresh: true };
		this.#decoding = decoding;
		return decoding;
	}

	#emit(decoding: Decoding, data: AudioData): void {
		this.#decoded = true;
		this.#endSeries();
		const isFirst = decoding.isFresh;
		decoding.isFresh = false;
		try {
			this.#options.onAudio(this.#pcm.copy(data), decoding.times.take(data.timestamp), isFirst);
		} finally {
			data.close();
		}
	}

	#fail(decoding: Decoding, error: unknown): void {
		if (this.#decoding !== decoding) {
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
		closeDecoder(this.#decoding?.decoder);
		this.#decoding = undefined;
	}
}

function closeDecoder(decoder: AudioDecoder | undefined): void {
	if (decoder !== undefined && decoder.state !== "closed") {
		decoder.close();
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
