import { LEGS_STALE_AFTER_MS } from "../protocol/media-socket.ts";
import type { ProgramPlan, ProgramSource } from "../protocol/object-rpc.ts";
import type { PersonId } from "../protocol/roles.ts";

/** The program has been the composite for so long: it is there to stay. */
export const SLEEP_AFTER_MS = 1_000;
/** A composite makes a picture every few hundredths of a second: what is missing for this long may be lost, and the host takes a moment to wake. */
export const WAKE_AFTER_SILENCE_MS = 300;

export interface LegSituation {
	readonly plan: ProgramPlan | undefined;
	readonly source: ProgramSource;
	/** How long the program has been made of that. */
	readonly sourceForMs: number;
	/** Since the composite's last picture; `undefined` where nobody publishes it. */
	readonly compositeSilentMs: number | undefined;
}

/**
 * Whether the host's stream may sleep: the program is made without it, and the compositor has the host by another leg. Doubt wakes it, since a
 * stream that is sent for nothing costs little and one that is missing is seen.
 */
export class LegSleep {
	#realTime: readonly PersonId[] = [];
	#saidAtMs = Number.NEGATIVE_INFINITY;
	#asleep = false;
	#wokenAtMs = Number.NEGATIVE_INFINITY;

	get asleep(): boolean {
		return this.#asleep;
	}

	/** The compositor's word of whom it shows by their real-time leg. */
	legs(realTime: readonly PersonId[], nowMs: number): void {
		this.#realTime = realTime;
		this.#saidAtMs = nowMs;
	}

	/** Another compositor, or none: what the last one said is worth nothing. */
	forget(): void {
		this.#realTime = [];
	}

	/** A publisher that has just come sends, whatever the last one did. */
	publisherCame(): void {
		this.#asleep = false;
	}

	/** What to tell the publisher now, once for each change. */
	look(situation: LegSituation, nowMs: number): "sleep" | "wake" | undefined {
		const may = this.#may(situation, nowMs);
		if (this.#asleep && !may) {
			this.#asleep = false;
			this.#wokenAtMs = nowMs;
			return "wake";
		}
		const settled = situation.sourceForMs >= SLEEP_AFTER_MS && nowMs - this.#wokenAtMs >= SLEEP_AFTER_MS;
		if (!this.#asleep && may && settled) {
			this.#asleep = true;
			return "sleep";
		}
		return undefined;
	}

	#may({ plan, source, compositeSilentMs = Number.POSITIVE_INFINITY }: LegSituation, nowMs: number): boolean {
		const isShown = this.#realTime.includes("host") && nowMs - this.#saidAtMs < LEGS_STALE_AFTER_MS;
		const isComposed = plan?.onAir === true && plan.prefers === "composite" && source === "composite";
		return isShown && isComposed && compositeSilentMs < WAKE_AFTER_SILENCE_MS;
	}
}
