import { avcCodecString, parseAvcConfig } from "../../media/avc/avc-config.ts";
import { parseSps } from "../../media/avc/sps.ts";
import type { EncodedVideoFrame } from "../../media/encoded-frame.ts";

/** Frames handed over that the decoder has not begun: what is behind them waits, and can still be dropped, in the jitter buffer. */
const MAX_QUEUE = 12;
/** Frames remembered at most; H.264 holds back 16 for reordering, the rest were swallowed by the decoder without a picture. */
const MAX_REMEMBERED = 48;

export interface DecodedVideo {
	/** Owned by the receiver of `onPicture`, who closes it. */
	readonly frame: VideoFrame;
	readonly ptsUs: number;
	/** When its encoded frame was handed to the decoder. */
	readonly decodeStartUs: number;
	readonly origin: FrameOrigin;
}

/** What is known of an encoded frame and handed on with its picture. */
export interface FrameOrigin {
	/** Local time at which its last byte was there. */
	readonly arrivalUs: number;
	/** Decode time on the source's clock. */
	readonly dtsUs: number;
	/** The play-out clock's epoch it belongs to. */
	readonly epoch: number;
	/** Which of the sources there were one after the other its times are of. */
	readonly source: number;
	/** False where the frame came too late to be shown and was decoded only because others refer to it. */
	readonly show: boolean;
}

export interface VideoDecoderStageOptions {
	onPicture(picture: DecodedVideo): void;
	/** There is room for more frames than before. */
	onRoom(): void;
	onError(reason: string): void;
	nowUs(): number;
}

interface InFlight {
	readonly decodeStartUs: number;
	readonly origin: FrameOrigin;
}

/** Decodes one person's video. An error ends the decoder, not the page: a new one starts at the next key frame. */
export class VideoDecoderStage {
	readonly #options: VideoDecoderStageOptions;
	readonly #inFlight = new Map<number, InFlight>();
	#decoder: VideoDecoder | undefined;
	#config: VideoDecoderConfig | undefined;
	#codec: EncodedVideoFrame["codec"] | undefined;
	#record: Uint8Array | undefined;
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

	/** What comes is dropped until a key frame does. */
	get needsKeyFrame(): boolean {
		return this.#waitingForKeyFrame;
	}

	/** How many more frames it takes now; with none the caller waits for `onRoom`. */
	get room(): number {
		return Math.max(0, MAX_QUEUE - (this.#decoder?.decodeQueueSize ?? 0));
	}

	push(frame: EncodedVideoFrame, origin: FrameOrigin): void {
		if (frame.config !== undefined || frame.codec !== this.#codec) {
			this.#reconfigure(frame.codec, frame.config);
		}
		if (frame.data.byteLength === 0) {
			return;
		}
		if (this.#waitingForKeyFrame && !frame.keyFrame) {
			this.#dropped += 1;
			return;
		}
		const decoder = this.#decoder ?? this.#start();
		if (decoder === undefined) {
			this.#dropped += 1;
			return;
		}
		this.#waitingForKeyFrame = false;
		this.#remember(frame.ptsUs, { decodeStartUs: this.#options.nowUs(), origin });
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
		this.#codec = undefined;
	}

	#remember(ptsUs: number, frame: InFlight): void {
		this.#inFlight.set(ptsUs, frame);
		const [oldest] = this.#inFlight.keys();
		if (this.#inFlight.size > MAX_REMEMBERED && oldest !== undefined) {
			this.#inFlight.delete(oldest);
			this.#dropped += 1;
		}
	}

	#reconfigure(codec: EncodedVideoFrame["codec"], record: Uint8Array | undefined): void {
		if (this.#decoder !== undefined && codec === this.#codec && sameBytes(this.#record, record)) {
			return;
		}
		this.#codec = codec;
		this.#record = record;
		this.#waitingForKeyFrame = true;
		try {
			this.#config = decoderConfig(codec, record);
			if (this.#config === undefined) {
				this.#discard();
			} else {
				// Pictures of the old configuration still come out first: configure() waits its turn in the decoder's queue.
				this.#decoder?.configure(this.#config);
			}
		} catch (error) {
			this.#config = undefined;
			this.#discard();
			this.#report(error);
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
		decoder.ondequeue = () => this.#options.onRoom();
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

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
	return a?.byteLength === b?.byteLength && (a?.every((byte, index) => byte === b?.[index]) ?? true);
}

const CODEC_STRINGS = { vp8: "vp8", vp9: "vp09.00.40.08", av1: "av01.0.08M.08" } as const;

/** `undefined` for AVC without a configuration record, which cannot be decoded; other codecs' streams describe themselves. */
function decoderConfig(
	codec: EncodedVideoFrame["codec"],
	record: Uint8Array | undefined,
): VideoDecoderConfig | undefined {
	if (codec !== "avc") {
		return { codec: CODEC_STRINGS[codec], optimizeForLatency: true };
	}
	if (record === undefined) {
		return undefined;
	}
	const avc = parseAvcConfig(record);
	const sps = avc.sps[0] === undefined ? undefined : parseSps(avc.sps[0]);
	return {
		codec: avcCodecString(avc),
		description: record as Uint8Array<ArrayBuffer>,
		// Low-delay decoding puts pictures out in decoding order: right only where the stream says that nothing is reordered.
		optimizeForLatency: sps?.maxReorderFrames === 0,
	};
}
