/** What a sender is asked to keep to: shares of its own frame rate and height. */
export interface CpuStep {
	readonly frameRate: number;
	readonly height: number;
}

/** Frames first: fewer of them are hardly seen in a talking head, and cost nothing to bring back. */
export const CPU_STEPS: readonly CpuStep[] = [
	{ frameRate: 1, height: 1 },
	{ frameRate: 2 / 3, height: 1 },
	{ frameRate: 1 / 2, height: 1 },
	{ frameRate: 1 / 2, height: 3 / 4 },
	{ frameRate: 1 / 2, height: 1 / 2 },
];

/** A hiccup is no overload … */
const DOWN_AFTER_MS = 2_000;
/** … and what was asked for takes a moment to arrive. */
const EFFECT_AFTER_MS = 3_000;
const UP_AFTER_MS = 6_000;
/** The wait for the next attempt doubles with each that failed, up to here. */
const UP_AFTER_AT_MOST_MS = 96_000;
/** An attempt that went well for this long is not held against the next. */
const FORGIVEN_AFTER_MS = 60_000;

/** How far everyone's pictures are cut down while the machine is too slow: down a step after two bad seconds, up again with patience. */
export class CpuLadder {
	#step = 0;
	#changedAtMs = Number.NEGATIVE_INFINITY;
	#badSinceMs: number | undefined;
	#goodSinceMs: number | undefined;
	#upAfterMs = UP_AFTER_MS;
	#wasUp = false;

	get step(): CpuStep {
		return CPU_STEPS[this.#step] ?? { frameRate: 1, height: 1 };
	}

	/** Whether anything is asked of anyone. */
	get isLowered(): boolean {
		return this.#step > 0;
	}

	/** @param isOverloaded whether the machine could not keep up in the second before `nowMs` */
	look(isOverloaded: boolean, nowMs: number): void {
		this.#badSinceMs = isOverloaded ? (this.#badSinceMs ?? nowMs) : undefined;
		this.#goodSinceMs = isOverloaded ? undefined : (this.#goodSinceMs ?? nowMs);
		const sinceChangeMs = nowMs - this.#changedAtMs;
		if (
			this.#badSinceMs !== undefined &&
			nowMs - this.#badSinceMs >= DOWN_AFTER_MS &&
			sinceChangeMs >= EFFECT_AFTER_MS
		) {
			this.#down(nowMs, sinceChangeMs);
		} else if (this.#goodSinceMs !== undefined && this.#step > 0) {
			const waitedMs = Math.min(nowMs - this.#goodSinceMs, sinceChangeMs);
			if (waitedMs >= this.#upAfterMs) {
				this.#step -= 1;
				this.#wasUp = true;
				this.#changed(nowMs);
			}
		}
		if (this.#step === 0 && !isOverloaded && sinceChangeMs >= FORGIVEN_AFTER_MS) {
			this.#upAfterMs = UP_AFTER_MS;
		}
	}

	#down(nowMs: number, sinceChangeMs: number): void {
		if (this.#wasUp && sinceChangeMs < FORGIVEN_AFTER_MS) {
			this.#upAfterMs = Math.min(UP_AFTER_AT_MOST_MS, this.#upAfterMs * 2);
		}
		this.#wasUp = false;
		if (this.#step < CPU_STEPS.length - 1) {
			this.#step += 1;
			this.#changed(nowMs);
		}
	}

	#changed(nowMs: number): void {
		this.#changedAtMs = nowMs;
		this.#badSinceMs = undefined;
		this.#goodSinceMs = undefined;
	}
}
