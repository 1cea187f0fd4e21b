import { LEGS_STALE_AFTER_MS } from "../protocol/media-socket.ts";
import type { ProgramPlan, ProgramSource } from "../protocol/object-rpc.ts";
import type { PersonId } from "../protocol/roles.ts";

/** The program has been the composite for so long: it is there to stay. */
export const SLEEP_AFTER_MS = 1_000;
/** A composite that has the stream woken again within this is weak. */
export const STEADY_AFTER_MS = 30_000;
/** A stream that is woken again and again sleeps no sooner than this after it: each turn costs a key frame and, where it came too late, a picture that stands. */
export const MAX_SLEEP_AFTER_MS = 32_000;
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
	#sleptAtMs = Number.NEGATIVE_INFINITY;
	#wokenAtMs = Number.NEGATIVE_INFINITY;
	/** After it was woken: twice as long each time that a weak composite was the reason. */
	#waitMs = SLEEP_AFTER_MS;

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
			// Whether it was steady; a change of the plan is nobody's weakness.
			const isSteady = nowMs - this.#sleptAtMs >= STEADY_AFTER_MS || !prefersComposite(situation);
			this.#waitMs = isSteady ? SLEEP_AFTER_MS : Math.min(2 * this.#waitMs, MAX_SLEEP_AFTER_MS);
			return "wake";
		}
		const settled = situation.sourceForMs >= SLEEP_AFTER_MS && nowMs - this.#wokenAtMs >= this.#waitMs;
		if (!this.#asleep && may && settled) {
			this.#asleep = true;
			this.#sleptAtMs = nowMs;
			return "sleep";
		}
		return undefined;
	}

	#may(situation: LegSituation, nowMs: number): boolean {
		const { source, compositeSilentMs = Number.POSITIVE_INFINITY } = situation;
		const isShown = this.#realTime.includes("host") && nowMs - this.#saidAtMs < LEGS_STALE_AFTER_MS;
		const isComposed = prefersComposite(situation) && source === "composite";
		return isShown && isComposed && compositeSilentMs < WAKE_AFTER_SILENCE_MS;
	}
}

function prefersComposite({ plan }: LegSituation): boolean {
	return plan?.onAir === true && plan.prefers === "composite";
}
