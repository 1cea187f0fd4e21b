import type { OutputTick } from "../program/output-clock.ts";

/** Since the last look. */
export interface MachineLook {
	/** Output frames left out, or begun too late, of all that were due: 0 to 1. */
	readonly lateShare: number;
}

/** Counts the output frames that the machine was late for. Time is passed in. */
export class MachineWatch {
	readonly #lateAfterUs: number;
	#due = 0;
	#late = 0;

	/** @param intervalUs between two output frames: one that begins half of it late ends too late as well */
	constructor(intervalUs: number) {
		this.#lateAfterUs = intervalUs / 2;
	}

	note({ skipped, dueUs }: OutputTick, nowUs: number): void {
		this.#due += 1 + skipped;
		this.#late += skipped + (nowUs - dueUs > this.#lateAfterUs ? 1 : 0);
	}

	/** Once a second or so; what was counted begins anew. */
	look(): MachineLook {
		const lateShare = this.#due === 0 ? 0 : this.#late / this.#due;
		this.#due = 0;
		this.#late = 0;
		return { lateShare };
	}
}
