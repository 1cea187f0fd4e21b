/** Long enough to hold a moment without delay, short enough that a clock that drifts by 200 ppm is followed to within a frame. */
const WINDOW_MS = 10_000;

/**
 * How far media time is ahead of the wall clock where it is made: the tag that came with the least delay tells, over the last ten to twenty
 * seconds. A stall and the burst after it do not move it.
 */
export class LiveEdge {
	#windowStartMs = 0;
	#latestMs: number | undefined;
	#earlierMs: number | undefined;

	/** A tag of media time `timeMs` came at `nowMs`. */
	observe(timeMs: number, nowMs: number): void {
		const aheadMs = timeMs - nowMs;
		if (this.#latestMs !== undefined && nowMs - this.#windowStartMs < WINDOW_MS) {
			this.#latestMs = Math.max(this.#latestMs, aheadMs);
			return;
		}
		this.#earlierMs = this.#latestMs;
		this.#latestMs = aheadMs;
		this.#windowStartMs = nowMs;
	}

	/** Media time less wall clock; `undefined` before the first tag. */
	get aheadMs(): number | undefined {
		return this.#earlierMs === undefined || this.#latestMs === undefined
			? this.#latestMs
			: Math.max(this.#earlierMs, this.#latestMs);
	}
}
