import { US_PER_SECOND } from "../../../media/units.ts";

/** How long one least delay counts: a sound card that is 100 ppm off its machine's clock is 2 ms off it by then. */
const WINDOW_US = 10 * US_PER_SECOND;

/**
 * Maps the timestamps of one track, whose clock is its device's own, to the capture clock all tracks share: by the smallest
 * (now − timestamp) of the last 10 to 20 seconds. What a frame waited on its way here is not taken for time.
 */
export class CaptureClock {
	#windowEndUs = Number.NEGATIVE_INFINITY;
	/** Smallest (now − timestamp) of the window before this one, and of this one. */
	#before = Number.POSITIVE_INFINITY;
	#now = Number.POSITIVE_INFINITY;

	/** The capture time of what the track stamped `timestampUs` and is here at `nowUs`; both clocks in microseconds. */
	captureUs(timestampUs: number, nowUs: number): number {
		const offsetUs = nowUs - timestampUs;
		if (nowUs >= this.#windowEndUs) {
			this.#before = this.#now;
			this.#now = offsetUs;
			this.#windowEndUs = nowUs + WINDOW_US;
		}
		this.#now = Math.min(this.#now, offsetUs);
		return timestampUs + Math.min(this.#before, this.#now);
	}
}
