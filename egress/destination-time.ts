import { LiveEdge } from "./live-edge.ts";

type Track = "audio" | "video";

/** An offset that is known is taken for the true one when it puts the live edge no further than this from where the wall clock does. */
export const AGREES_WITHIN_MS = 1_000;
/** The Router's time rises by frames; a step back, or ahead, by more than these is another time line. */
const STEP_BACK_MS = 2_000;
const STEP_AHEAD_MS = 10_000;

/** A moment at the destination: its media time, and the wall clock then. */
export interface DestinationMoment {
	readonly timeMs: number;
	readonly atMs: number;
}

/**
 * Gives a destination one time line over all subscriptions to the Router, whose own time starts anywhere after it was restarted.
 *
 * Time at the destination stays with the wall clock: what was lost with a broken subscription is time that passed there too, so that the
 * stream is as late as before, never later. It rises strictly on each track, by one offset for both.
 */
export class DestinationTime {
	readonly #edge = new LiveEdge();
	readonly #floorMs: number;
	#offsetMs: number | undefined;
	#routerMs: number | undefined;
	#lastMs: Partial<Record<Track, number>> = {};

	/** @param from where an earlier life of this egress was; without it the first tag is at 0 */
	constructor(from?: DestinationMoment) {
		this.#floorMs = from?.timeMs ?? 0;
		if (from !== undefined) {
			this.#edge.observe(from.timeMs, from.atMs);
		}
	}

	/** Whether there is a time line to go on with. */
	get hasBegun(): boolean {
		return this.#edge.aheadMs !== undefined;
	}

	/** Less the Router's time, at the present; `undefined` before the first tag. */
	get offsetMs(): number | undefined {
		return this.#offsetMs;
	}

	/** Time at the destination of what is made now; `undefined` before the first tag. */
	nowMs(clockMs: number): number | undefined {
		return this.#edge.aheadMs === undefined ? undefined : clockMs + this.#edge.aheadMs;
	}

	/**
	 * A new subscription's time line joins on.
	 *
	 * @param lineEdge how far the Router's time on it is ahead of the wall clock
	 * @param knownOffsets offsets that are exact if they are right at all; one that agrees with the wall clock is taken
	 */
	join(lineEdge: LiveEdge, knownOffsets: readonly number[]): void {
		if (this.#edge.aheadMs === undefined || lineEdge.aheadMs === undefined) {
			return;
		}
		const byClockMs = Math.round(this.#edge.aheadMs - lineEdge.aheadMs);
		const known = knownOffsets.find((offsetMs) => Math.abs(offsetMs - byClockMs) <= AGREES_WITHIN_MS);
		this.#offsetMs = known ?? byClockMs;
		this.#routerMs = undefined;
	}

	/** Whether the destination has had that moment of the track. */
	isPast(track: Track, timeMs: number): boolean {
		const lastMs = this.#lastMs[track];
		return lastMs !== undefined && timeMs <= lastMs;
	}

	/**
	 * Time at the destination of the Router's next tag; `undefined` for sound from before the last, which is to be left out. A picture from
	 * before the last is needed by those after it, and is shown for a millisecond.
	 *
	 * @param routerMs unwrapped
	 */
	map(track: Track, routerMs: number, arrivedMs: number): number | undefined {
		const timeMs = this.#strictlyLater(track, routerMs + this.#offsetFor(routerMs, arrivedMs));
		if (timeMs !== undefined) {
			this.#lastMs[track] = timeMs;
			this.#edge.observe(routerMs + (this.#offsetMs ?? 0), arrivedMs);
		}
		return timeMs;
	}

	#strictlyLater(track: Track, timeMs: number): number | undefined {
		const earliestMs = (this.#lastMs[track] ?? this.#floorMs - 1) + 1;
		if (timeMs >= earliestMs) {
			return timeMs;
		}
		return track === "audio" ? undefined : earliestMs;
	}

	#offsetFor(routerMs: number, arrivedMs: number): number {
		if (this.#offsetMs === undefined && this.#edge.aheadMs === undefined) {
			this.#offsetMs = this.#floorMs - routerMs;
		} else if (this.#offsetMs === undefined || this.#isAnotherLine(routerMs)) {
			const lineEdge = new LiveEdge();
			lineEdge.observe(routerMs, arrivedMs);
			this.join(lineEdge, []);
		}
		this.#routerMs = Math.max(this.#routerMs ?? routerMs, routerMs);
		return this.#offsetMs ?? 0;
	}

	#isAnotherLine(routerMs: number): boolean {
		const lastMs = this.#routerMs;
		return lastMs !== undefined && (routerMs < lastMs - STEP_BACK_MS || routerMs > lastMs + STEP_AHEAD_MS);
	}
}
