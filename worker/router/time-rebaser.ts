import { TimestampUnwrapper, unwrapNearMs } from "../../media/timestamp.ts";

export type TimedTrack = "audio" | "video";

/** Used until two video tags have shown the real interval: 30 frames a second. */
const DEFAULT_FRAME_INTERVAL_MS = 33;
/** A longer step between two video tags is a pause, not a frame rate (5 fps is the slowest taken for one). */
const LONGEST_FRAME_INTERVAL_MS = 200;
/** A track that goes back by more than this has restarted; less is a publisher's jitter. */
const RESTART_BACKWARDS_MS = 500;
/** A step ahead of everything seen by more than this is a new time base, not a pause, where nothing is known of the time that really passed … */
const RESTART_FORWARDS_MS = 10_000;
/** … and where it is, a step ahead of that by more than this: media does not come from the future. */
const AHEAD_OF_ARRIVAL_MS = 2_000;

/**
 * Gives a stream one time line over a succession of sources, each with 32-bit millisecond time of its own that may start anywhere, wrap,
 * restart or jump.
 *
 * Stream time rises strictly on each track. A new source's first tag follows the last tag of the old by one frame interval.
 */
export class TimeRebaser {
	readonly #firstMs: number | undefined;
	#unwrapper = new TimestampUnwrapper();
	#offsetMs: number | undefined;
	/** Source time of the last tag on each track of the present source. */
	#inputMs: Partial<Record<TimedTrack, number>> = {};
	/** Stream time of the last tag on each track. */
	#outputMs: Partial<Record<TimedTrack, number>> = {};
	/** Stream time the present source was joined on at: its sound from before that is not wanted. */
	#joinMs: number | undefined;
	#frameIntervalMs = DEFAULT_FRAME_INTERVAL_MS;
	#epoch = 0;
	/** Tracks on which the source may still be saying again what it has said. */
	#saysAgain: Partial<Record<TimedTrack, boolean>> = {};
	#arrivedMs: number | undefined;

	/** @param firstMs stream time of the very first tag; the source's own time where omitted */
	constructor(firstMs?: number) {
		this.#firstMs = firstMs;
	}

	/** Latest stream time given out, in whole milliseconds, unwrapped. */
	get lastMs(): number | undefined {
		return maxOf(this.#outputMs);
	}

	/** Rises whenever a source was joined on, and when its time has jumped. */
	get epoch(): number {
		return this.#epoch;
	}

	/** Stream time, unwrapped, of any moment of the present source, which none of its tags needs to have had; `undefined` before its first tag. */
	timeOf(timestampMs: number): number | undefined {
		const latestMs = maxOf(this.#inputMs);
		return latestMs === undefined || this.#offsetMs === undefined
			? undefined
			: unwrapNearMs(timestampMs, latestMs) + this.#offsetMs;
	}

	/** The next tag comes from another source. */
	restart(): void {
		this.#unwrapper = new TimestampUnwrapper();
		this.#offsetMs = undefined;
		this.#inputMs = {};
		this.#saysAgain = {};
	}

	/** The same source goes on after its line broke, and may say again what it said last: that is dropped. */
	resume(): void {
		this.#saysAgain = { audio: true, video: true };
	}

	/**
	 * Stream time of the source's next tag, unwrapped; `undefined` when the tag is sound from before the point at which its source was
	 * joined on, or was heard before, and so is to be dropped. `nowMs` is when the tag came, where the caller knows: it tells a jump in time from a pause.
	 */
	map(track: TimedTrack, timestampMs: number, nowMs?: number): number | undefined {
		const inputMs = this.#unwrapper.unwrapMs(timestampMs);
		if (this.#wasSaid(track, inputMs)) {
			return undefined;
		}
		const offsetMs = this.#offsetFor(track, inputMs, nowMs);
		this.#arrivedMs = nowMs;
		const mappedMs = inputMs + offsetMs;
		if (track === "audio" && this.#joinMs !== undefined && mappedMs < this.#joinMs) {
			return undefined;
		}
		this.#measureInterval(track, inputMs);
		this.#inputMs[track] = inputMs;
		const beforeMs = this.#outputMs[track];
		const outputMs = beforeMs !== undefined && mappedMs <= beforeMs ? beforeMs + 1 : mappedMs;
		this.#outputMs[track] = outputMs;
		return outputMs;
	}

	#wasSaid(track: TimedTrack, inputMs: number): boolean {
		const latestMs = this.#inputMs[track];
		const again = this.#saysAgain[track] === true && latestMs !== undefined && inputMs <= latestMs;
		this.#saysAgain[track] = again;
		return again;
	}

	#offsetFor(track: TimedTrack, inputMs: number, nowMs: number | undefined): number {
		if (this.#offsetMs !== undefined && !this.#isJump(track, inputMs, nowMs)) {
			return this.#offsetMs;
		}
		this.#epoch++;
		const lastMs = this.lastMs;
		if (lastMs === undefined) {
			this.#joinMs = this.#firstMs;
			this.#offsetMs = this.#firstMs === undefined ? 0 : this.#firstMs - inputMs;
		} else {
			this.#joinMs = lastMs + this.#frameIntervalMs;
			this.#offsetMs = this.#joinMs - inputMs;
		}
		this.#inputMs = {};
		return this.#offsetMs;
	}

	#isJump(track: TimedTrack, inputMs: number, nowMs: number | undefined): boolean {
		const pausedMs = nowMs === undefined || this.#arrivedMs === undefined ? undefined : nowMs - this.#arrivedMs;
		const forwardsMs = pausedMs === undefined ? RESTART_FORWARDS_MS : pausedMs + AHEAD_OF_ARRIVAL_MS;
		const sameTrackMs = this.#inputMs[track];
		const latestMs = maxOf(this.#inputMs);
		return (
			(sameTrackMs !== undefined && inputMs < sameTrackMs - RESTART_BACKWARDS_MS) ||
			(latestMs !== undefined && inputMs > latestMs + forwardsMs)
		);
	}

	#measureInterval(track: TimedTrack, inputMs: number): void {
		const beforeMs = this.#inputMs.video;
		if (track !== "video" || beforeMs === undefined) {
			return;
		}
		const stepMs = inputMs - beforeMs;
		if (stepMs > 0 && stepMs <= LONGEST_FRAME_INTERVAL_MS) {
			this.#frameIntervalMs = stepMs;
		}
	}
}

function maxOf(times: Partial<Record<TimedTrack, number>>): number | undefined {
	if (times.audio === undefined || times.video === undefined) {
		return times.audio ?? times.video;
	}
	return Math.max(times.audio, times.video);
}
