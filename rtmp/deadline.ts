import type { Timers } from "./timers.ts";

/** One deadline at a time, for the step of a conversation that is awaited now. */
export class Deadline {
	readonly #timers: Timers;
	readonly #onMissed: (error: Error) => void;
	#cancel: () => void = () => {};

	constructor(timers: Timers, onMissed: (error: Error) => void) {
		this.#timers = timers;
		this.#onMissed = onMissed;
	}

	/** Replaces the deadline before. @param expected what is awaited, as the error will say it */
	expect(expected: string, withinMs: number): void {
		this.clear();
		this.#cancel = this.#timers.after(withinMs, () =>
			this.#onMissed(new Error(`rtmp: expected ${expected} within ${withinMs} ms, got nothing`)),
		);
	}

	clear(): void {
		this.#cancel();
		this.#cancel = () => {};
	}
}
