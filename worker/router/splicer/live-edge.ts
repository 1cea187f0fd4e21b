/** Media later than this against the source's own best is not live: it comes out of some queue that filled during a stall. */
export const LATE_AFTER_MS = 700;
/** A source that was late is live again below this: one that hovers is not to be dropped and joined over and over. */
const LIVE_AGAIN_BELOW_MS = 400;
/** A source that stays late for this long without catching up has a longer way from now on. */
const ACCEPT_LATE_AFTER_MS = 1_000;
/** Less than this gained in that time is not catching up. */
const CATCHING_UP_MS = 200;
/** What the best is forgiven with time: clocks that differ by 1,000 ppm. */
const DRIFT_PER_MS = 0.001;

/** Tells how late one source's tags come, against the quickest way they have come: only the difference is known, never the way itself. */
export class LiveEdge {
	#epoch: number | undefined;
	/** Smallest arrival time less media time. */
	#bestMs = 0;
	#lastMs = 0;
	#latenessMs = 0;
	#isLate = false;
	#lateSince: { readonly atMs: number; readonly latenessMs: number } | undefined;

	get isLate(): boolean {
		return this.#isLate;
	}

	/** Arrival time less media time, the quickest way there is. */
	get wayMs(): number {
		return this.#bestMs;
	}

	/** A tag of this time came now; another `epoch` is another time base. */
	saw(timeMs: number, epoch: number, nowMs: number): void {
		const wayMs = nowMs - timeMs;
		this.#bestMs =
			epoch === this.#epoch ? Math.min(this.#bestMs + (nowMs - this.#lastMs) * DRIFT_PER_MS, wayMs) : wayMs;
		this.#epoch = epoch;
		this.#lastMs = nowMs;
		this.#latenessMs = wayMs - this.#bestMs;
		this.#isLate = this.#latenessMs > (this.#isLate ? LIVE_AGAIN_BELOW_MS : LATE_AFTER_MS);
		this.#lateSince = this.#isLate ? (this.#lateSince ?? { atMs: nowMs, latenessMs: this.#latenessMs }) : undefined;
		this.#settle(wayMs, nowMs);
	}

	#settle(wayMs: number, nowMs: number): void {
		const since = this.#lateSince;
		if (since === undefined || nowMs - since.atMs < ACCEPT_LATE_AFTER_MS) {
			return;
		}
		if (this.#latenessMs < since.latenessMs - CATCHING_UP_MS) {
			this.#lateSince = { atMs: nowMs, latenessMs: this.#latenessMs };
			return;
		}
		this.#bestMs = wayMs;
		this.#latenessMs = 0;
		this.#isLate = false;
		this.#lateSince = undefined;
	}
}
