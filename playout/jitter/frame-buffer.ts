import type { EncodedFrame } from "../../media/encoded-frame.ts";
import { usToMs } from "../../media/units.ts";
import { isDisposable } from "./disposable-frame.ts";

/** Ten seconds at 60 fps: more than any group of pictures that a subscription starts with. */
const MAX_FRAMES = 600;
/** Four seconds at 64 Mb/s; a person's feed that needs more is no feed for a laptop. */
const MAX_BYTES = 32 * 1024 * 1024;
/** One output frame at 30 fps: a picture later than that only shows if nothing newer is due as well. */
const LATE_TOLERANCE_US = 33_000;
/** The play-out delay's ceiling: an older picture is no longer live, not even as the newest there is. */
const MAX_LATENESS_US = 500_000;
/** No frame of a live feed waits longer than the play-out delay's ceiling, give or take a reordered picture or two. */
const MAX_WAIT_US = 750_000;

/** What the buffer needs of a `PlayoutClock`. */
export interface PlayoutTimes {
	readonly epoch: number;
	playoutUs(ptsUs: number): number;
}

export interface JitterBufferOptions {
	readonly maxFrames?: number;
	readonly maxBytes?: number;
	/** How far ahead of its decode time a frame may wait before the buffer counts as past its ceiling. */
	readonly maxWaitUs?: number;
	readonly lateToleranceUs?: number;
	/** A frame later than this is never shown. */
	readonly maxLatenessUs?: number;
}

export interface DueFrame<F extends EncodedFrame> {
	readonly frame: F;
	/** Local time at which it is to be seen or heard, as the clock stood when it was taken out. */
	readonly playoutUs: number;
	readonly arrivalUs: number;
	/** False: decode it, for later frames refer to it, but do not show it; it is far too late, overtaken, or late and a newer one is due. */
	readonly show: boolean;
}

export interface JitterBufferFigures {
	readonly frames: number;
	readonly bytes: number;
	/** Source time from the first to the last frame that waits. */
	readonly queueMs: number;
	readonly received: number;
	/** Frames that arrived after their play-out time. */
	readonly late: number;
	/** Frames given up and never handed out. */
	readonly dropped: number;
}

interface Waiting<F extends EncodedFrame> {
	readonly frame: F;
	readonly arrivalUs: number;
	readonly epoch: number;
}

/**
 * Encoded frames of one track on their way to the decoder, in decode order.
 *
 * It never hands out a frame whose references it dropped: video is given up in whole groups, forward to a key frame, and
 * until there is one `needsKeyFrame` is true. A configuration is never lost: that of a dropped or empty frame goes with the
 * next one. Frames from before a reset of the clock are handed out at once, not to be shown, so that references stay whole.
 */
export class JitterBuffer<F extends EncodedFrame> {
	readonly #clock: PlayoutTimes;
	readonly #maxFrames: number;
	readonly #maxBytes: number;
	readonly #maxWaitUs: number;
	readonly #lateToleranceUs: number;
	readonly #maxLatenessUs: number;
	#waiting: Waiting<F>[] = [];
	#bytes = 0;
	#awaitsKeyFrame = true;
	#config: Uint8Array | undefined;
	/** The newest that was handed out. */
	#newest: { readonly dtsUs: number; readonly epoch: number } | undefined;
	#received = 0;
	#late = 0;
	#dropped = 0;

	constructor(clock: PlayoutTimes, options: JitterBufferOptions = {}) {
		this.#clock = clock;
		this.#maxFrames = options.maxFrames ?? MAX_FRAMES;
		this.#maxBytes = options.maxBytes ?? MAX_BYTES;
		this.#maxWaitUs = options.maxWaitUs ?? MAX_WAIT_US;
		this.#lateToleranceUs = options.lateToleranceUs ?? LATE_TOLERANCE_US;
		this.#maxLatenessUs = options.maxLatenessUs ?? MAX_LATENESS_US;
	}

	/** True while video frames are being thrown away for want of a key frame: the time to ask the sender for one. */
	get needsKeyFrame(): boolean {
		return this.#awaitsKeyFrame;
	}

	get figures(): JitterBufferFigures {
		const first = this.#waiting[0];
		const last = this.#waiting.at(-1);
		const spanUs = first === undefined || last === undefined ? 0 : last.frame.dtsUs - first.frame.dtsUs;
		return {
			frames: this.#waiting.length,
			bytes: this.#bytes,
			queueMs: usToMs(Math.max(0, spanUs)),
			received: this.#received,
			late: this.#late,
			dropped: this.#dropped,
		};
	}

	/** Takes one frame, after the clock has been told of its arrival. */
	push(frame: F, arrivalUs: number): void {
		this.#config = frame.config ?? this.#config;
		if (frame.data.length === 0) {
			return; // Only a configuration, or an Opus frame of silence: there is nothing to decode.
		}
		this.#received += 1;
		if (this.#awaitsKeyFrame && !frame.keyFrame) {
			this.#dropped += 1;
			return;
		}
		this.#awaitsKeyFrame = false;
		if (this.#clock.playoutUs(frame.ptsUs) < arrivalUs) {
			this.#late += 1;
		}
		this.#insert({ frame: this.#withConfig(frame), arrivalUs, epoch: this.#clock.epoch });
		this.#keepBounds(arrivalUs);
	}

	/**
	 * Takes out what has to be decoded by now: all frames whose decode time is at most `leadUs` from `nowUs`, in decode
	 * order, `maxFrames` at most. If a whole group is due and a newer key frame is too, the older group is dropped.
	 */
	popDue(nowUs: number, leadUs: number, maxFrames = Number.POSITIVE_INFINITY): DueFrame<F>[] {
		let due = this.#countDue(nowUs + leadUs);
		const key = this.#newestKeyFrame(due);
		if (key > 0 && this.#isLate(this.#waiting[key - 1], nowUs)) {
			this.#drop(key);
			due -= key;
		}
		const taken: DueFrame<F>[] = [];
		for (let index = 0; index < due && taken.length < maxFrames; index += 1) {
			const entry = this.#waiting[0];
			if (entry === undefined) {
				break;
			}
			const superseded = this.#isLate(entry, nowUs) && index + 1 < due;
			this.#waiting.shift();
			this.#bytes -= entry.frame.data.length;
			if (superseded && entry.frame.track === "video" && isDisposable(entry.frame)) {
				this.#dropped += 1;
				this.#inheritConfig(entry.frame.config);
				continue;
			}
			const playoutUs = this.#clock.playoutUs(entry.frame.ptsUs);
			const isLive = this.#isCurrent(entry) && playoutUs >= nowUs - this.#maxLatenessUs;
			const show = !superseded && isLive && !this.#isOvertaken(entry);
			taken.push({ frame: entry.frame, arrivalUs: entry.arrivalUs, playoutUs, show });
		}
		return taken;
	}

	/** The decoder lost its state: everything up to the next key frame is of no use to it. */
	requireKeyFrame(): void {
		const key = this.#waiting.findIndex((entry) => entry.frame.keyFrame);
		this.#drop(key === -1 ? this.#waiting.length : key);
		this.#awaitsKeyFrame = key === -1;
	}

	/** Throws away all that waits, as when the subscription starts again; the configuration stays. */
	flush(): void {
		this.#drop(this.#waiting.length);
		this.#awaitsKeyFrame = true;
	}

	/** Drops what is not handed out yet from `dtsUs` on: it comes again by another path, with what refers to it. */
	cutFrom(dtsUs: number): void {
		this.#waiting = this.#waiting.filter(({ frame }) => {
			const stays = frame.dtsUs < dtsUs;
			this.#bytes -= stays ? 0 : frame.data.length;
			return stays;
		});
		this.#config = undefined;
	}

	#insert(entry: Waiting<F>): void {
		let place = this.#waiting.length;
		while (place > 0) {
			const before = this.#waiting[place - 1];
			if (before === undefined || before.epoch !== entry.epoch || before.frame.dtsUs <= entry.frame.dtsUs) {
				break;
			}
			place -= 1;
		}
		this.#waiting.splice(place, 0, entry);
		this.#bytes += entry.frame.data.length;
	}

	#withConfig(frame: F): F {
		const config = this.#config;
		this.#config = undefined;
		return config === undefined || frame.config !== undefined ? frame : { ...frame, config };
	}

	#keepBounds(nowUs: number): void {
		while (this.#isPastBounds(nowUs)) {
			const nextKey = this.#waiting.findIndex((entry, index) => index > 0 && entry.frame.keyFrame);
			this.#drop(nextKey === -1 ? this.#waiting.length : nextKey);
			this.#awaitsKeyFrame = nextKey === -1;
		}
	}

	#isPastBounds(nowUs: number): boolean {
		const last = this.#waiting.at(-1);
		if (last === undefined) {
			return false;
		}
		const waitUs = this.#clock.playoutUs(last.frame.dtsUs) - nowUs;
		return this.#waiting.length > this.#maxFrames || this.#bytes > this.#maxBytes || waitUs > this.#maxWaitUs;
	}

	#countDue(untilUs: number): number {
		const index = this.#waiting.findIndex(
			(entry) => this.#isCurrent(entry) && this.#clock.playoutUs(entry.frame.dtsUs) > untilUs,
		);
		return index === -1 ? this.#waiting.length : index;
	}

	#newestKeyFrame(due: number): number {
		for (let index = due - 1; index > 0; index -= 1) {
			const frame = this.#waiting[index]?.frame;
			if (frame?.track === "video" && frame.keyFrame) {
				return index;
			}
		}
		return 0;
	}

	/** A frame that comes after a later one is of use to the decoder at most; a repeated one not even to that. */
	#isOvertaken({ frame: { dtsUs }, epoch }: Waiting<F>): boolean {
		if (this.#newest?.epoch === epoch && dtsUs <= this.#newest.dtsUs) {
			return true;
		}
		this.#newest = { dtsUs, epoch };
		return false;
	}

	#isCurrent(entry: Waiting<F>): boolean {
		return entry.epoch === this.#clock.epoch;
	}

	#isLate(entry: Waiting<F> | undefined, nowUs: number): boolean {
		if (entry === undefined) {
			return false;
		}
		return !this.#isCurrent(entry) || this.#clock.playoutUs(entry.frame.ptsUs) < nowUs - this.#lateToleranceUs;
	}

	#drop(count: number): void {
		let config: Uint8Array | undefined;
		for (const entry of this.#waiting.splice(0, count)) {
			this.#bytes -= entry.frame.data.length;
			this.#dropped += 1;
			config = entry.frame.config ?? config;
		}
		this.#inheritConfig(config);
	}

	/** The configuration of a dropped frame goes to the next that waits, unless that brings its own, or else to the next pushed. */
	#inheritConfig(config: Uint8Array | undefined): void {
		const next = this.#waiting[0];
		if (next === undefined) {
			this.#config = config ?? this.#config;
		} else if (config !== undefined && next.frame.config === undefined) {
			this.#waiting[0] = { ...next, frame: { ...next.frame, config } };
		}
	}
}
