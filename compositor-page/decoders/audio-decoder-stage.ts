import { aacCodecString, parseAudioSpecificConfig } from "../../media/aac/audio-specific-config.ts";
import type { EncodedAudioFrame } from "../../media/encoded-frame.ts";
import { DecodedTimes } from "../audio/decoded-times.ts";
import { type PlanarPcm, PlanarPcmBuffer } from "../audio/planar-pcm.ts";

export interface AudioDecoderStageOptions {
	/** Decoded sound, valid until the call returns. */
	onAudio(pcm: PlanarPcm, ptsUs: number): void;
	onError(reason: string): void;
}

const OPUS_SAMPLE_RATE = 48_000;

/** Decodes one person's audio. An error ends the decoder, not the page: a new one starts with the next frame. */
export class AudioDecoderStage {
	readonly #options: AudioDecoderStageOptions;
	#decoder: AudioDecoder | undefined;
	#codec: EncodedAudioFrame["codec"] | undefined;
	#config: AudioDecoderConfig | undefined;
	readonly #pcm = new PlanarPcmBuffer();
	readonly #times = new DecodedTimes();
	#errors = 0;

	constructor(options: AudioDecoderStageOptions) {
		this.#options = options;
	}

	get errors(): number {
		return this.#errors;
	}

	push(frame: EncodedAudioFrame): void {
		if (frame.config !== undefined || frame.codec !== this.#codec) {
			this.#reconfigure(frame);
		}
		// Empty frames are how WebRTC and some encoders say "nothing to hear"; AudioDecoder dies on them.
		if (frame.data.byteLength === 0 || this.#config === undefined) {
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
		this.#codec = frame.codec;
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
		try {
			this.#options.onAudio(this.#pcm.copy(data), this.#times.take(data.timestamp));
		} finally {
			data.close();
		}
	}

	#fail(decoder: AudioDecoder, error: unknown): void {
		if (this.#decoder !== undefined && this.#decoder !== decoder) {
			return;
		}
		this.#discard();
		this.#report(error);
	}

	#report(error: unknown): void {
		this.#errors += 1;
		this.#options.onError(`audio decoder: ${error instanceof Error ? error.message : String(error)}`);
	}

	#discard(): void {
		if (this.#decoder !== undefined && this.#decoder.state !== "closed") {
			this.#decoder.close();
		}
		this.#decoder = undefined;
		this.#times.clear();
	}
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
