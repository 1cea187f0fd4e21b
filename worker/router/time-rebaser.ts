import { TimestampUnwrapper } from "../../media/timestamp.ts";

export type TimedTrack = "audio" | "video";

/** Used until two video tags have shown the real interval: 30 frames a second. */
const DEFAULT_FRAME_INTERVAL_MS = 33;
/** A longer step between two video tags is a pause, not a frame rate (5 fps is the slowest taken for one). */
const LONGEST_FRAME_INTERVAL_MS = 200;
/** A track that goes back by more than this has restarted; less is a publisher's jitter (OBS uses the same figure). */
const RESTART_BACKWARDS_MS = 2_000;
/** A step ahead of everything seen by more than this is a new time base, not a pause. */
const RESTART_FORWARDS_MS = 10_000;

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

	/** @param firstMs stream time of the very first tag; the source's own time where omitted */
	constructor(firstMs?: number) {
		this.#firstMs = firstMs;
	}

	/** Latest stream time given out, in whole milliseconds, unwrapped. */
	get lastMs(): number | undefined {
		return maxOf(this.#outputMs);
	}

	/** The next tag comes from another source. */
	restart(): void {
		this.#unwrapper = new TimestampUnwrapper();
		this.#offsetMs = undefined;
		this.#inputMs = {};
	}

	/**
	 * Stream time of the source's next tag, unwrapped; `undefined` when the tag is sound from before the point at which its source was
	 * joined on, and so is to be dropped.
	 */
	map(track: TimedTrack, timestampMs: number): number | undefined {
		const inputMs = this.#unwrapper.unwrapMs(timestampMs);
		const offsetMs = this.#offsetFor(track, inputMs);
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

	#offsetFor(track: TimedTrack, inputMs: number): number {
		if (this.#offsetMs !== undefined && !this.#isJump(track, inputMs)) {
			return this.#offsetMs;
		}
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

	#isJump(track: TimedTrack, inputMs: number): boolean {
		const sameTrackMs = this.#inputMs[track];
		const latestMs = maxOf(this.#inputMs);
		return (
			(sameTrackMs !== undefined && inputMs < sameTrackMs - RESTART_BACKWARDS_MS) ||
			(latestMs !== undefined && inputMs > latestMs + RESTART_FORWARDS_MS)
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
