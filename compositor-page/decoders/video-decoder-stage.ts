import { avcCodecString, parseAvcConfig } from "../../media/avc/avc-config.ts";
import { parseSps } from "../../media/avc/sps.ts";
import type { EncodedVideoFrame } from "../../media/encoded-frame.ts";

/** Frames handed to the decoder and not out yet; past it the decoder is not keeping up, and whole groups of pictures are left out. */
const MAX_IN_FLIGHT = 24;

export interface DecodedVideo {
	/** Owned by the receiver of `onPicture`, who closes it. */
	readonly frame: VideoFrame;
	readonly ptsUs: number;
	readonly arrivalUs: number;
	/** When its encoded frame was handed to the decoder. */
	readonly decodeStartUs: number;
	/** False where the frame came too late to be shown and was decoded only because others refer to it. */
	readonly show: boolean;
}

export interface VideoDecoderStageOptions {
	onPicture(picture: DecodedVideo): void;
	onError(reason: string): void;
	nowUs(): number;
}

interface InFlight {
	readonly arrivalUs: number;
	readonly decodeStartUs: number;
	readonly show: boolean;
}

/** Decodes one person's video. An error ends the decoder, not the page: a new one starts at the next key frame. */
export class VideoDecoderStage {
	readonly #options: VideoDecoderStageOptions;
	readonly #inFlight = new Map<number, InFlight>();
	#decoder: VideoDecoder | undefined;
	#config: VideoDecoderConfig | undefined;
	#waitingForKeyFrame = true;
	#errors = 0;
	#dropped = 0;

	constructor(options: VideoDecoderStageOptions) {
		this.#options = options;
	}

	get errors(): number {
		return this.#errors;
	}

	/** Frames given up because no reference was there or the decoder was too far behind. */
	get dropped(): number {
		return this.#dropped;
	}

	push(frame: EncodedVideoFrame, arrivalUs: number, show: boolean): void {
		if (frame.config !== undefined) {
			this.#reconfigure(frame, frame.config);
		}
		if (frame.data.byteLength === 0) {
			return;
		}
		if (this.#inFlight.size >= MAX_IN_FLIGHT) {
			this.#waitingForKeyFrame = true;
		}
		if (this.#waitingForKeyFrame && (!frame.keyFrame || this.#inFlight.size >= MAX_IN_FLIGHT)) {
			this.#dropped += 1;
			return;
		}
		const decoder = this.#decoder ?? this.#start();
		if (decoder === undefined) {
			this.#dropped += 1;
			return;
		}
		this.#waitingForKeyFrame = false;
		this.#inFlight.set(frame.ptsUs, { arrivalUs, decodeStartUs: this.#options.nowUs(), show });
		try {
			decoder.decode(
				new EncodedVideoChunk({
					type: frame.keyFrame ? "key" : "delta",
					timestamp: frame.ptsUs,
					data: frame.data as Uint8Array<ArrayBuffer>,
				}),
			);
		} catch (error) {
			this.#fail(decoder, error);
		}
	}

	close(): void {
		this.#discard();
		this.#config = undefined;
	}

	#reconfigure(frame: EncodedVideoFrame, config: Uint8Array): void {
		try {
			this.#config = decoderConfig(frame.codec, config);
		} catch (error) {
			this.#config = undefined;
			this.#discard();
			this.#report(error);
			return;
		}
		// Pictures of the old configuration still come out first: configure() waits its turn in the decoder's queue.
		this.#waitingForKeyFrame = true;
		if (this.#decoder !== undefined) {
			this.#decoder.configure(this.#config);
		}
	}

	#start(): VideoDecoder | undefined {
		if (this.#config === undefined) {
			return undefined;
		}
		const decoder = new VideoDecoder({
			output: (picture) => this.#emit(picture),
			error: (error) => this.#fail(decoder, error),
		});
		try {
			decoder.configure(this.#config);
		} catch (error) {
			this.#fail(decoder, error);
			return undefined;
		}
		this.#decoder = decoder;
		return decoder;
	}

	#emit(frame: VideoFrame): void {
		const known = this.#inFlight.get(frame.timestamp);
		this.#inFlight.delete(frame.timestamp);
		if (known === undefined) {
			frame.close();
			return;
		}
		this.#options.onPicture({ frame, ptsUs: frame.timestamp, ...known });
	}

	#fail(decoder: VideoDecoder, error: unknown): void {
		if (this.#decoder !== undefined && this.#decoder !== decoder) {
			return;
		}
		this.#discard();
		this.#report(error);
	}

	#report(error: unknown): void {
		this.#errors += 1;
		this.#options.onError(`video decoder: ${error instanceof Error ? error.message : String(error)}`);
	}

	#discard(): void {
		if (this.#decoder !== undefined && this.#decoder.state !== "closed") {
			this.#decoder.close();
		}
		this.#decoder = undefined;
		this.#dropped += this.#inFlight.size;
		this.#inFlight.clear();
		this.#waitingForKeyFrame = true;
	}
}

const CODEC_STRINGS = { vp8: "vp8", vp9: "vp09.00.40.08", av1: "av01.0.08M.08" } as const;

function decoderConfig(codec: EncodedVideoFrame["codec"], config: Uint8Array): VideoDecoderConfig {
	if (codec !== "avc") {
		return { codec: CODEC_STRINGS[codec], optimizeForLatency: true };
	}
	const avc = parseAvcConfig(config);
	const sps = avc.sps[0] === undefined ? undefined : parseSps(avc.sps[0]);
	return {
		codec: avcCodecString(avc),
		description: config as Uint8Array<ArrayBuffer>,
		// Low-delay decoding puts pictures out in decoding order: right only where the stream says that nothing is reordered.
		optimizeForLatency: sps?.maxReorderFrames === 0,
	};
}
