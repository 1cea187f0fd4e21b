/** A packet that waits longer than this for its turn makes what it is part of late: the encoder makes more than the line takes. */
export const WAITS_LONG_MS = 60;
/** The line takes all that is made. */
const WAITS_SHORT_MS = 15;
/** After one step what waits needs a moment to leave. */
export const STEP_SPACING_MS = 1_200;
/** A step back is tried after so long without a wait; after one that failed, twice as long, up to the limit. */
export const STEP_BACK_AFTER_MS = 5_000;
const MAX_STEP_BACK_AFTER_MS = 40_000;
/** A step back that has to be taken again within this has failed. */
const FAILED_WITHIN_MS = 5_000;
/** With fewer packets there is no telling. */
const MIN_PACKETS = 5;

/** By what a picture's lines are divided, step by step. */
export const RELIEF_STEPS: readonly number[] = [1, 1.5, 2, 3];

/**
 * How much smaller a picture is to be sent than it could, for its packets not to wait in the sender: a smaller picture is seen, a late one is talked into.
 * Browsers do the same by how coarse the picture has become, which is seconds later. Time is passed in; it never goes back.
 */
export class SendRelief {
	#packets = 0;
	#waitedMs = 0;
	#step = 0;
	#changedMs = Number.NEGATIVE_INFINITY;
	#steppedBackMs = Number.NEGATIVE_INFINITY;
	/** Since when nothing waits. */
	#easySinceMs: number | undefined;
	#backAfterMs = STEP_BACK_AFTER_MS;

	/** @returns by what to divide the picture's lines */
	get divisor(): number {
		return RELIEF_STEPS[this.#step] ?? 1;
	}

	/**
	 * @param packets sent since the connection began
	 * @param waitedMs how long these have waited, together
	 * @returns whether {@link divisor} has changed
	 */
	note(packets: number, waitedMs: number, nowMs: number): boolean {
		const sent = packets - this.#packets;
		if (sent >= 0 && sent < MIN_PACKETS) {
			return false;
		}
		// Of another sender than before all counts anew.
		const eachMs = sent < 0 ? 0 : (waitedMs - this.#waitedMs) / sent;
		this.#packets = packets;
		this.#waitedMs = waitedMs;
		this.#easySinceMs = eachMs <= WAITS_SHORT_MS ? (this.#easySinceMs ?? nowMs) : undefined;
		const mayChange = nowMs - this.#changedMs >= STEP_SPACING_MS;
		if (eachMs > WAITS_LONG_MS && mayChange && this.#step < RELIEF_STEPS.length - 1) {
			this.#stepDown(nowMs);
			return true;
		}
		const isEasy = this.#easySinceMs !== undefined && nowMs - this.#easySinceMs >= this.#backAfterMs;
		if (isEasy && this.#step > 0 && nowMs - this.#changedMs >= this.#backAfterMs) {
			this.#step -= 1;
			this.#changedMs = nowMs;
			this.#steppedBackMs = nowMs;
			return true;
		}
		return false;
	}

	#stepDown(nowMs: number): void {
		const hasFailed = nowMs - this.#steppedBackMs < FAILED_WITHIN_MS;
		this.#backAfterMs = hasFailed ? Math.min(this.#backAfterMs * 2, MAX_STEP_BACK_AFTER_MS) : STEP_BACK_AFTER_MS;
		this.#step += 1;
		this.#changedMs = nowMs;
	}
}
