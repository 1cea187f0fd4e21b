import { aacCodecString, parseAudioSpecificConfig } from "../../media/aac/audio-specific-config.ts";
import type { EncodedAudioFrame } from "../../media/encoded-frame.ts";
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
	#config: AudioDecoderConfig | undefined;
	readonly #pcm = new PlanarPcmBuffer();
	#errors = 0;

	constructor(options: AudioDecoderStageOptions) {
		this.#options = options;
	}

	get errors(): number {
		return this.#errors;
	}

	push(frame: EncodedAudioFrame): void {
		if (frame.config !== undefined || (this.#config === undefined && frame.codec === "opus")) {
			this.#reconfigure(frame);
		}
		// Empty frames are how WebRTC and some encoders say "nothing to hear"; AudioDecoder dies on them.
		if (frame.data.byteLength === 0 || this.#config === undefined) {
			return;
		}
		const decoder = this.#decoder ?? this.#start(this.#config);
		try {
			decoder.decode(
				new EncodedAudioChunk({ type: "key", timestamp: frame.ptsUs, data: frame.data as Uint8Array<ArrayBuffer> }),
			);
		} catch (error) {
			this.#fail(decoder, error);
		}
	}

	close(): void {
		this.#discard();
		this.#config = undefined;
	}

	#reconfigure(frame: EncodedAudioFrame): void {
		this.#discard();
		try {
			this.#config = decoderConfig(frame);
		} catch (error) {
			this.#config = undefined;
			this.#report(error);
		}
	}

	#start(config: AudioDecoderConfig): AudioDecoder {
		const decoder = new AudioDecoder({
			output: (data) => this.#emit(data),
			error: (error) => this.#fail(decoder, error),
		});
		this.#decoder = decoder;
		decoder.configure(config);
		return decoder;
	}

	#emit(data: AudioData): void {
		try {
			this.#options.onAudio(this.#pcm.copy(data), data.timestamp);
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
	}
}

function decoderConfig(frame: EncodedAudioFrame): AudioDecoderConfig {
	if (frame.codec === "opus") {
		return { codec: "opus", sampleRate: OPUS_SAMPLE_RATE, numberOfChannels: 2 };
	}
	if (frame.config === undefined) {
		throw new Error("expected an AudioSpecificConfig with the first AAC frame, got none");
	}
	const config = parseAudioSpecificConfig(frame.config);
	return {
		codec: aacCodecString(config),
		sampleRate: config.sampleRate,
		numberOfChannels: config.channels,
		description: frame.config as Uint8Array<ArrayBuffer>,
	};
}
