import { msToUs, US_PER_SECOND } from "../../../media/units.ts";

/** How far ahead of being heard sound is made: an audio device takes a hundredth of a second or two at once. */
const LEAST_MS = 20;
const MOST_MS = 120;
/** After sound was missing, at once; after so long without any missing slowly back. */
const STEP_UP_MS = 8;
const CALM_US = 10 * US_PER_SECOND;
const STEP_DOWN_MS = 1;
const STEP_DOWN_EVERY_US = US_PER_SECOND;
/** What is missing within so long of a step is missing for the same reason. */
const SETTLE_US = msToUs(200);

/** How much sound lies ready for the audio device: as little as it can do with. Pure: time is passed in. */
export class SoundLead {
	#ms = LEAST_MS;
	#raisedUs = Number.NEGATIVE_INFINITY;
	#missedUs = Number.NEGATIVE_INFINITY;
	#loweredUs = Number.NEGATIVE_INFINITY;

	get ms(): number {
		return this.#ms;
	}

	/** Takes note of what the device was short of; true when the lead is another now. */
	note(missingSamples: number, nowUs: number): boolean {
		if (missingSamples > 0) {
			this.#missedUs = nowUs;
			if (nowUs - this.#raisedUs < SETTLE_US || this.#ms >= MOST_MS) {
				return false;
			}
			this.#raisedUs = nowUs;
			this.#ms = Math.min(MOST_MS, this.#ms + STEP_UP_MS);
			return true;
		}
		const isCalm = nowUs - this.#missedUs >= CALM_US && nowUs - this.#loweredUs >= STEP_DOWN_EVERY_US;
		if (!isCalm || this.#ms <= LEAST_MS) {
			return false;
		}
		this.#loweredUs = nowUs;
		this.#ms = Math.max(LEAST_MS, this.#ms - STEP_DOWN_MS);
		return true;
	}
}
