import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import type { FailureKind } from "./line-failure.ts";

/** A destination restarts within seconds, and "already publishing" clears in seconds; a longer wait only loses viewers. */
export const RECONNECT_POLICY: RetryPolicy = { firstMs: 500, capMs: 15_000 };
/** A line that held this long was good: its break begins a new series. */
export const STABLE_AFTER_MS = 30_000;
/** A destination that has never held a session and closes this many in a row at once means it: the key is wrong. */
export const MAX_CURT_CLOSES = 3;

/** Whether, and after what wait, to connect to one destination again. */
export class ReconnectBackoff {
	#attempts = 0;
	#curtCloses = 0;
	#hasBeenStable = false;
	#liveSinceMs: number | undefined;

	/** Failures in a row. */
	get attempts(): number {
		return this.#attempts;
	}

	live(nowMs: number): void {
		this.#liveSinceMs = nowMs;
	}

	/**
	 * @param random in [0, 1)
	 * @returns milliseconds to wait, or `undefined` when asking again would change nothing
	 */
	failed(nowMs: number, random: number, kind: FailureKind): number | undefined {
		if (this.#liveSinceMs !== undefined && nowMs - this.#liveSinceMs >= STABLE_AFTER_MS) {
			this.#attempts = 0;
			this.#hasBeenStable = true;
		}
		this.#liveSinceMs = undefined;
		this.#curtCloses = kind === "curt" ? this.#curtCloses + 1 : 0;
		const meansIt = this.#curtCloses >= MAX_CURT_CLOSES && !this.#hasBeenStable;
		const delayMs = retryDelayMs(RECONNECT_POLICY, this.#attempts++, random);
		return kind === "refused" || meansIt ? undefined : delayMs;
	}
}
