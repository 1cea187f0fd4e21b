/** More than this is lost of a line that carries too much, or of a bad one: either way less has a better chance. */
const BAD_LOSS = 0.05;
const GOOD_LOSS = 0.02;
const BAD_FOR_MS = 3_000;
const GOOD_FOR_MS = 4_000;
const DOWN = 0.7;
const UP = 1.2;
const LEAST_BPS = 200_000;
/** As much as a sender sends by itself: no limit any more. */
const MOST_BPS = 2_500_000;

/**
 * The most that one sender should send, where packets go on being lost; WebRTC's own congestion control sees delay first and is left alone
 * until then.
 */
export class NetworkRate {
	#limitBps: number | undefined;
	#badSinceMs: number | undefined;
	#goodSinceMs: number | undefined;

	/** `undefined`: no limit. */
	get limitBps(): number | undefined {
		return this.#limitBps;
	}

	/** To be called about once a second with the figures of that second. */
	look(lossRatio: number, bitrateBps: number, nowMs: number): void {
		this.#badSinceMs = lossRatio > BAD_LOSS ? (this.#badSinceMs ?? nowMs) : undefined;
		this.#goodSinceMs = lossRatio < GOOD_LOSS ? (this.#goodSinceMs ?? nowMs) : undefined;
		if (this.#badSinceMs !== undefined && nowMs - this.#badSinceMs >= BAD_FOR_MS) {
			const fromBps = Math.min(this.#limitBps ?? MOST_BPS, Math.max(bitrateBps, LEAST_BPS));
			this.#limitBps = Math.max(LEAST_BPS, Math.round(fromBps * DOWN));
			this.#badSinceMs = nowMs;
		} else if (
			this.#limitBps !== undefined &&
			this.#goodSinceMs !== undefined &&
			nowMs - this.#goodSinceMs >= GOOD_FOR_MS
		) {
			const raised = Math.round(this.#limitBps * UP);
			this.#limitBps = raised >= MOST_BPS ? undefined : raised;
			this.#goodSinceMs = nowMs;
		}
	}
}
