import { msToUs, US_PER_SECOND } from "../../../media/units.ts";

/** How long one least delay counts: a sound card that is 100 ppm off its machine's clock is 2 ms off it by then. */
const WINDOW_US = 10 * US_PER_SECOND;
/** Later than the least delay by this much, for so long and without coming closer, is no wait but a clock that has lost time: a sound card that stalled. */
const LOST_US = msToUs(30);
const LOST_FOR_US = msToUs(300);
/** What comes closer by more is the end of a stall, whose frames come one after the other. */
const CLOSER_US = msToUs(10);

/**
 * Maps the timestamps of one track, whose clock is its device's own, to the capture clock all tracks share: by the smallest
 * (now − timestamp) of the last 10 to 20 seconds. What a frame waited on its way here is not taken for time.
 */
export class CaptureClock {
	#windowEndUs = Number.NEGATIVE_INFINITY;
	/** Smallest (now − timestamp) of the window before this one, and of this one. */
	#beforeUs = Number.POSITIVE_INFINITY;
	#offsetUs = Number.POSITIVE_INFINITY;
	/** Frames that have all been late: since when, and by how much the first and the least. */
	#lateRun: { readonly sinceUs: number; readonly firstUs: number; leastUs: number } | undefined;

	/** The capture time of what the track stamped `timestampUs` and is here at `nowUs`; both clocks in microseconds. */
	captureUs(timestampUs: number, nowUs: number): number {
		const offsetUs = nowUs - timestampUs;
		if (nowUs >= this.#windowEndUs) {
			this.#beforeUs = this.#offsetUs;
			this.#offsetUs = offsetUs;
			this.#windowEndUs = nowUs + WINDOW_US;
		}
		this.#offsetUs = Math.min(this.#offsetUs, offsetUs);
		this.#followLoss(offsetUs, nowUs);
		return timestampUs + this.#leastUs;
	}

	get #leastUs(): number {
		return Math.min(this.#beforeUs, this.#offsetUs);
	}

	#followLoss(offsetUs: number, nowUs: number): void {
		if (offsetUs < this.#leastUs + LOST_US) {
			this.#lateRun = undefined;
			return;
		}
		this.#lateRun ??= { sinceUs: nowUs, firstUs: offsetUs, leastUs: offsetUs };
		const run = this.#lateRun;
		run.leastUs = Math.min(run.leastUs, offsetUs);
		if (run.leastUs < run.firstUs - CLOSER_US) {
			this.#lateRun = { sinceUs: nowUs, firstUs: offsetUs, leastUs: offsetUs };
		} else if (nowUs - run.sinceUs >= LOST_FOR_US) {
			this.#beforeUs = Number.POSITIVE_INFINITY;
			this.#offsetUs = run.leastUs;
			this.#windowEndUs = nowUs + WINDOW_US;
			this.#lateRun = undefined;
		}
	}
}
