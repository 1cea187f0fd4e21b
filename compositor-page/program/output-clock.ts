import { US_PER_SECOND } from "../../media/units.ts";

/** Output frames this far behind are still made, one after the other; past it the clock skips to now, for live must stay live. */
const MAX_CATCH_UP_FRAMES = 6;

export interface OutputTick {
	/** Output frame number, from 0; its program time is `index / frameRate`. */
	readonly index: number;
	/** Local time at which the frame is due. */
	readonly dueUs: number;
	/** Frame numbers left out before this one because the machine could not keep up. */
	readonly skipped: number;
}

/** The absolute output clock: frame n is due at `startUs + n / frameRate`, never a chain of timers. Time is passed in. */
export class OutputClock {
	readonly #frameRate: number;
	readonly #startUs: number;
	#nextIndex = 0;

	constructor(options: { readonly frameRate: number; readonly startUs: number }) {
		this.#frameRate = options.frameRate;
		this.#startUs = options.startUs;
	}

	/** Microseconds until the next frame is due; 0 or less when it is. */
	waitUs(nowUs: number): number {
		return this.dueUs(this.#nextIndex) - nowUs;
	}

	/** Takes the next frame that is due at `nowUs`, or `undefined` when none is. */
	take(nowUs: number): OutputTick | undefined {
		const behind = Math.floor((-this.waitUs(nowUs) * this.#frameRate) / US_PER_SECOND);
		if (this.waitUs(nowUs) > 0) {
			return undefined;
		}
		const skipped = behind > MAX_CATCH_UP_FRAMES ? behind : 0;
		const index = this.#nextIndex + skipped;
		this.#nextIndex = index + 1;
		return { index, dueUs: this.dueUs(index), skipped };
	}

	dueUs(index: number): number {
		return this.#startUs + this.programUs(index);
	}

	/** Program time of frame `index`: what its timestamp is. */
	programUs(index: number): number {
		return Math.round((index * US_PER_SECOND) / this.#frameRate);
	}
}
