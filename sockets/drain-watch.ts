import { msToUs } from "../media/units.ts";

/** What a slow line takes in this time is little, but never nothing. */
const STUCK_AFTER_US = msToUs(5_000);
/** No step between two looks counts for more: the line is not to blame for a machine that slept. */
const LONGEST_STEP_US = msToUs(200);

/** Finds out whether what is written to a socket still leaves it: a dead line keeps it for minutes. For one connection; time is passed in. */
export class DrainWatch {
	#drainedBytes = 0;
	#lookedUs: number | undefined;
	#stuckUs = 0;

	/** True when bytes have waited for 5 s and none has gone. */
	isStuck(writtenBytes: number, waitingBytes: number, nowUs: number): boolean {
		const drainedBytes = writtenBytes - waitingBytes;
		const moves = waitingBytes === 0 || drainedBytes > this.#drainedBytes;
		const stepUs = Math.min(LONGEST_STEP_US, nowUs - (this.#lookedUs ?? nowUs));
		this.#stuckUs = moves ? 0 : this.#stuckUs + stepUs;
		this.#drainedBytes = drainedBytes;
		this.#lookedUs = nowUs;
		return this.#stuckUs >= STUCK_AFTER_US;
	}
}
