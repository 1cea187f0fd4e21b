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

/** - `none`: it does all it can, with nothing to spare for more. */
export type CpuRoom = "overloaded" | "none" | "some";

/** A hiccup is no overload … */
const DOWN_AFTER_MS = 2_000;
/** … and what was asked for takes a moment to arrive. */
const EFFECT_AFTER_MS = 3_000;
const UP_AFTER_MS = 6_000;
/** Where one attempt has gone well for so long the next need not wait for what failed before it. */
const UP_AGAIN_AFTER_MS = 5_000;
/** The wait for the next attempt doubles with each that failed, up to here. */
const UP_AFTER_AT_MOST_MS = 96_000;
/** An attempt that is undone later than this did not fail: something else has come. */
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

	/** @param room how the machine did in the second before `nowMs` */
	look(room: CpuRoom, nowMs: number): void {
		this.#badSinceMs = room === "overloaded" ? (this.#badSinceMs ?? nowMs) : undefined;
		this.#goodSinceMs = room === "some" ? (this.#goodSinceMs ?? nowMs) : undefined;
		const sinceChangeMs = nowMs - this.#changedAtMs;
		if (sinceMs(this.#badSinceMs, nowMs) >= DOWN_AFTER_MS && sinceChangeMs >= EFFECT_AFTER_MS) {
			this.#down(nowMs, sinceChangeMs);
			return;
		}
		const waitedMs = Math.min(sinceMs(this.#goodSinceMs, nowMs), sinceChangeMs);
		if (this.#step > 0 && waitedMs >= (this.#wasUp ? UP_AGAIN_AFTER_MS : this.#upAfterMs)) {
			this.#wasUp = true;
			this.#become(this.#step - 1, nowMs);
			return;
		}
		if (room === "some" && sinceChangeMs >= FORGIVEN_AFTER_MS && this.#step === 0) {
			this.#upAfterMs = UP_AFTER_MS;
		}
	}

	#down(nowMs: number, sinceChangeMs: number): void {
		if (this.#wasUp && sinceChangeMs < FORGIVEN_AFTER_MS) {
			this.#upAfterMs = Math.min(UP_AFTER_AT_MOST_MS, this.#upAfterMs * 2);
		}
		this.#wasUp = false;
		if (this.#step < CPU_STEPS.length - 1) {
			this.#become(this.#step + 1, nowMs);
		}
	}

	#become(step: number, nowMs: number): void {
		this.#step = step;
		this.#changedAtMs = nowMs;
		this.#badSinceMs = undefined;
		this.#goodSinceMs = undefined;
	}
}

function sinceMs(atMs: number | undefined, nowMs: number): number {
	return atMs === undefined ? 0 : nowMs - atMs;
}
