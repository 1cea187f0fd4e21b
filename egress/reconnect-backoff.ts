import { type RetryPolicy, retryDelayMs } from "../media/retry-delay.ts";
import type { FailureKind } from "./line-failure.ts";

/** A destination restarts within seconds, and "already publishing" clears in seconds; a longer wait only loses viewers. */
export const RECONNECT_POLICY: RetryPolicy = { firstMs: 500, capMs: 3_000 };
/** For one that has failed for {@link SLOW_AFTER_MS}: most likely nobody is there, and nobody waits for the picture any more. */
export const SLOW_RECONNECT_POLICY: RetryPolicy = { firstMs: 500, capMs: 15_000 };
export const SLOW_AFTER_MS = 10 * 60_000;
/** A line that held this long was good: its break begins a new series. */
export const STABLE_AFTER_MS = 30_000;
/** A session that lasted this long was meant: the destination knows the key. */
export const HELD_AFTER_MS = 5_000;
/** A destination that has never held a session and closes this many in a row at once means it: the key is wrong. */
export const MAX_CURT_CLOSES = 3;
/** One that has held a session may say no because it still holds it; dead sessions are noticed within a minute or so. */
export const DOUBT_FOR_MS = 2 * 60_000;
/** One that has held a session and now closes each at once may be restarting in parts; longer than this it means it. */
export const CURT_FOR_MS = 10 * 60_000;

/** Whether, and after what wait, to connect to one destination again. The one owner of its retries. */
export class ReconnectBackoff {
	#attempts = 0;
	#curtCloses = 0;
	#failingSinceMs: number | undefined;
	/** Until when a session was held. */
	#heldUntilMs: number | undefined;
	#liveSinceMs: number | undefined;

	/** @param heldUntilMs until when an earlier life of the egress held a session */
	constructor(heldUntilMs?: number) {
		this.#heldUntilMs = heldUntilMs;
	}

	/** Failures in a row. */
	get attempts(): number {
		return this.#attempts;
	}

	hasHeld(nowMs: number): boolean {
		return this.#heldUntilMs !== undefined || this.#liveFor(nowMs) >= HELD_AFTER_MS;
	}

	live(nowMs: number): void {
		this.#liveSinceMs = nowMs;
	}

	/**
	 * @param random in [0, 1)
	 * @returns milliseconds to wait, or `undefined` when asking again would change nothing
	 */
	failed(nowMs: number, random: number, kind: FailureKind): number | undefined {
		this.#sessionEnded(nowMs);
		this.#failingSinceMs ??= nowMs;
		this.#curtCloses = kind === "curt" ? this.#curtCloses + 1 : 0;
		const policy = nowMs - this.#failingSinceMs >= SLOW_AFTER_MS ? SLOW_RECONNECT_POLICY : RECONNECT_POLICY;
		const delayMs = retryDelayMs(policy, this.#attempts++, random);
		return this.#meansIt(nowMs, kind) ? undefined : delayMs;
	}

	#sessionEnded(nowMs: number): void {
		if (this.#liveFor(nowMs) >= HELD_AFTER_MS) {
			this.#heldUntilMs = nowMs;
		}
		if (this.#liveFor(nowMs) >= STABLE_AFTER_MS) {
			this.#attempts = 0;
			this.#failingSinceMs = undefined;
		}
		this.#liveSinceMs = undefined;
	}

	#meansIt(nowMs: number, kind: FailureKind): boolean {
		const sinceHeldMs = this.#heldUntilMs === undefined ? undefined : nowMs - this.#heldUntilMs;
		switch (kind) {
			case "broken":
				return false;
			case "refused":
				return true;
			case "doubtful":
				return sinceHeldMs === undefined || sinceHeldMs > DOUBT_FOR_MS;
			case "curt":
				return this.#curtCloses >= MAX_CURT_CLOSES && (sinceHeldMs === undefined || sinceHeldMs > CURT_FOR_MS);
		}
	}

	#liveFor(nowMs: number): number {
		return this.#liveSinceMs === undefined ? 0 : nowMs - this.#liveSinceMs;
	}
}
