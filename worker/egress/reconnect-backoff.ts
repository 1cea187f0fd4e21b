import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";

/** A destination restarts within seconds, and "already publishing" clears in seconds; a longer wait only loses viewers. */
export const RECONNECT_POLICY: RetryPolicy = { firstMs: 500, capMs: 15_000 };
/** A line that held this long was good: its break begins a new series. */
export const STABLE_AFTER_MS = 30_000;

/** How long to wait before connecting to one destination again. */
export class ReconnectBackoff {
	#attempts = 0;
	#liveSinceMs: number | undefined;

	/** Failures in a row. */
	get attempts(): number {
		return this.#attempts;
	}

	live(nowMs: number): void {
		this.#liveSinceMs = nowMs;
	}

	/** @returns milliseconds to wait; @param random in [0, 1) */
	failed(nowMs: number, random: number): number {
		if (this.#liveSinceMs !== undefined && nowMs - this.#liveSinceMs >= STABLE_AFTER_MS) {
			this.#attempts = 0;
		}
		this.#liveSinceMs = undefined;
		return retryDelayMs(RECONNECT_POLICY, this.#attempts++, random);
	}
}
