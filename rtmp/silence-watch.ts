import type { Timers } from "./timers.ts";

/** How finely silence is measured: it is noticed at most this part of the limit late. */
const TICKS_PER_LIMIT = 4;

/**
 * Notices that something awaited has not moved for a while, at the cost of a counter for each move and four timers a limit.
 *
 * Only time in which `isWaiting` says so counts. With a limit of `Infinity` it never fires.
 */
export class SilenceWatch {
	readonly #timers: Timers;
	readonly #limitMs: number;
	readonly #isWaiting: () => boolean;
	readonly #onSilence: () => void;
	#silentTicks = 0;
	#cancel: () => void = () => {};

	constructor(timers: Timers, limitMs: number, isWaiting: () => boolean, onSilence: () => void) {
		this.#timers = timers;
		this.#limitMs = limitMs;
		this.#isWaiting = isWaiting;
		this.#onSilence = onSilence;
	}

	start(): void {
		this.stop();
		this.#silentTicks = 0;
		if (Number.isFinite(this.#limitMs)) {
			this.#cancel = this.#timers.after(this.#limitMs / TICKS_PER_LIMIT, () => this.#tick());
		}
	}

	/** Something moved. */
	touch(): void {
		this.#silentTicks = 0;
	}

	stop(): void {
		this.#cancel();
		this.#cancel = () => {};
	}

	#tick(): void {
		this.#silentTicks = this.#isWaiting() ? this.#silentTicks + 1 : 0;
		// The first tick may have come right after a move, so the limit takes one tick more.
		if (this.#silentTicks > TICKS_PER_LIMIT) {
			this.stop();
			this.#onSilence();
			return;
		}
		this.#cancel = this.#timers.after(this.#limitMs / TICKS_PER_LIMIT, () => this.#tick());
	}
}
