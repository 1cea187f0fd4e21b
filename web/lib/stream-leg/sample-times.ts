import { samplesToUs, usToSamples } from "../../../media/units.ts";

/**
 * Where sound that is counted in samples lies on the capture clock. The count goes on while nothing is sent, so that the encoder need not be
 * started anew; each time sending begins the time of the next sample is said again.
 */
export class SampleTimes {
	readonly #sampleRate: number;
	/** The sample sending began with last, and when it was captured. */
	#from: { readonly sample: number; readonly captureUs: number } | undefined;

	constructor(sampleRate: number) {
		this.#sampleRate = sampleRate;
	}

	/** Sample number `sample`, and those after it, were captured from `captureUs` on. */
	begin(sample: number, captureUs: number): void {
		this.#from = { sample, captureUs };
	}

	/** Capture time of what lies `countUs` after sample 0; `undefined` for what is from before sending began: nobody waits for it any more. */
	captureUs(countUs: number): number | undefined {
		const from = this.#from;
		if (from === undefined || usToSamples(countUs, this.#sampleRate) < from.sample) {
			return undefined;
		}
		return from.captureUs + countUs - samplesToUs(from.sample, this.#sampleRate);
	}
}
