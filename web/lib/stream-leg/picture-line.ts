import { ProgramVideoEncoder } from "../../../encoders/avc/program-video-encoder.ts";
import type { EncodedVideoFrame } from "../../../media/encoded-frame.ts";
import { msToUs, US_PER_SECOND } from "../../../media/units.ts";
import type { BroadcastFormat } from "./broadcast-format.ts";
import { CaptureClock } from "./capture-clock.ts";
import { PicturePacer } from "./picture-pacer.ts";
import { PictureShaper } from "./picture-shaper.ts";
import type { SendRate } from "./rate-control.ts";

/** What every service takes: a key frame exactly so often. */
const KEY_FRAME_INTERVAL_S = 2;
/** A camera that starts takes up to here for its first picture; a black one before it would be seen. */
const FIRST_WITHIN_US = msToUs(1_000);
/** An encoder that was given pictures all this time and has put out none is stuck. */
const STUCK_AFTER_US = msToUs(3_000);

export interface PictureLineOptions {
	readonly format: BroadcastFormat;
	/** As `VideoEncoder` is told. */
	readonly codec: string;
	/** Capture time of timestamp 0. */
	readonly baseUs: number;
	/** On the capture clock. */
	nowUs(): number;
	/** Encoded, with its time after `baseUs`. */
	onFrame(frame: EncodedVideoFrame): void;
	/** Pictures can no longer be encoded. */
	onFailed(reason: string): void;
}

/**
 * Captured pictures → encoded pictures of the broadcast's size and pace. Where none comes the last is sent again, and a black one where nothing is to come:
 * the stream never stands still. Nothing is encoded while it is not `sending`; the encoder stays as it is.
 */
export class PictureLine {
	readonly #options: PictureLineOptions;
	readonly #pacer: PicturePacer;
	readonly #shaper: PictureShaper;
	#encoder: ProgramVideoEncoder;
	#clock = new CaptureClock();
	#mayCut = true;
	#flows = false;
	#flowsSinceUs = 0;
	/** The newest captured picture; owned. */
	#last: VideoFrame | undefined;
	/** When it was captured, if it was not sent: it came before its time. */
	#keptUs: number | undefined;
	#sending = false;
	#closed = false;
	/** When the encoder was first given something after it last gave something. */
	#unansweredUs: number | undefined;

	constructor(options: PictureLineOptions) {
		this.#options = options;
		this.#pacer = new PicturePacer(options.format.frameRate);
		this.#shaper = new PictureShaper(options.format);
		this.#encoder = this.#newEncoder();
	}

	/** Another source takes the place of the one before. Until it gives something the last picture stays. */
	begin(mayCut: boolean): void {
		this.#clock = new CaptureClock();
		this.#mayCut = mayCut;
		this.setFlows(true);
	}

	/** Whether the source gives anything. If not it is black at once, for that is what its owner wants. */
	setFlows(flows: boolean): void {
		if (flows && !this.#flows) {
			this.#flowsSinceUs = this.#options.nowUs();
		}
		this.#flows = flows;
		if (!flows) {
			this.#last?.close();
			this.#last = undefined;
			this.#keptUs = undefined;
		}
	}

	/** Begins with a key frame, or stops. */
	setSending(sending: boolean): void {
		if (sending) {
			this.#encoder.requestKeyFrame();
		}
		this.#sending = sending;
		this.#unansweredUs = undefined;
	}

	requestKeyFrame(): void {
		this.#encoder.requestKeyFrame();
	}

	setRate({ bitrateBps, frameRate }: SendRate): void {
		this.#pacer.setFrameRate(frameRate);
		this.#encoder.setRate(bitrateBps, frameRate);
	}

	/** Takes a captured picture, whose timestamp is its source's; owns it from here on. */
	push(frame: VideoFrame): void {
		const captureUs = this.#clock.captureUs(frame.timestamp, this.#options.nowUs());
		const judgement = this.#closed || !this.#flows ? "drop" : this.#pacer.judge(captureUs);
		if (judgement === "drop") {
			frame.close();
			return;
		}
		this.#last?.close();
		this.#last = frame;
		this.#keptUs = judgement === "keep" ? captureUs : undefined;
		if (this.#sending && judgement === "send") {
			this.#encode(captureUs);
		}
	}

	/** Call some hundred times a second: makes up for what was not captured. */
	tick(nowUs: number): void {
		const mayStillCome = this.#flows && this.#last === undefined && nowUs - this.#flowsSinceUs < FIRST_WITHIN_US;
		if (!this.#sending || mayStillCome || this.#closed) {
			return;
		}
		if (this.#unansweredUs !== undefined && nowUs - this.#unansweredUs > STUCK_AFTER_US) {
			this.#encoder.close();
			this.#encoder = this.#newEncoder();
			this.#unansweredUs = undefined;
		}
		const keptUs = this.#keptUs;
		if (keptUs !== undefined && this.#pacer.catchesUp(keptUs, nowUs)) {
			this.#keptUs = undefined;
			this.#encode(keptUs);
		} else if (this.#pacer.fills(nowUs, this.#last === undefined)) {
			this.#encode(nowUs);
		}
	}

	close(): void {
		this.#closed = true;
		this.#encoder.close();
		this.#last?.close();
		this.#last = undefined;
	}

	#encode(captureUs: number): void {
		const { baseUs, format } = this.#options;
		const timeUs = captureUs - baseUs;
		const last = this.#last;
		const frame = last === undefined ? this.#shaper.black(timeUs) : this.#shaper.shape(last, timeUs, this.#mayCut);
		this.#unansweredUs ??= this.#options.nowUs();
		// By time, so that there are two seconds between key frames at any pace.
		this.#encoder.encode(frame, Math.round((timeUs * format.frameRate) / US_PER_SECOND));
	}

	#newEncoder(): ProgramVideoEncoder {
		const { format, codec, nowUs, onFrame, onFailed } = this.#options;
		return new ProgramVideoEncoder({
			width: format.width,
			height: format.height,
			frameRate: format.frameRate,
			bitrateBps: format.videoBitrateBps,
			keyFrameEvery: Math.round(KEY_FRAME_INTERVAL_S * format.frameRate),
			codec,
			nowUs,
			onFrame: (frame) => {
				this.#unansweredUs = undefined;
				onFrame(frame);
			},
			onProblem: () => this.#shaper.scaleAlways(),
			onFailed,
		});
	}
}
