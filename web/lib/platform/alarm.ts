import type { Clock } from "./clock.ts";

/** One moment at which something is to be looked at again; setting it anew replaces it. */
export class Alarm {
	readonly #clock: Clock;
	readonly #ring: () => void;
	#cancel: (() => void) | undefined;

	constructor(clock: Clock, ring: () => void) {
		this.#clock = clock;
		this.#ring = ring;
	}

	/** @param atMs by the clock; `undefined` for never */
	set(atMs: number | undefined): void {
		this.#cancel?.();
		this.#cancel =
			atMs === undefined
				? undefined
				: this.#clock.after(Math.max(0, atMs - this.#clock.nowMs()), () => {
						this.#cancel = undefined;
						this.#ring();
					});
	}
}
