/** A longer step between two shown pictures is a gap and says nothing about the source's frame rate: 5 fps is the slowest. */
const LONGEST_US = 200_000;
/** Pictures looked back on: enough that one left out or doubled does not decide. */
const WINDOW = 9;

/** The usual time between a source's pictures: the median of the latest steps. */
export class SourceInterval {
	#steps: number[] = [];
	#lastPtsUs: number | undefined;

	/** `undefined` until there are enough steps to tell. */
	get us(): number | undefined {
		if (this.#steps.length < WINDOW) {
			return undefined;
		}
		return [...this.#steps].sort((a, b) => a - b)[Math.floor(WINDOW / 2)];
	}

	add(ptsUs: number): void {
		const stepUs = this.#lastPtsUs === undefined ? undefined : ptsUs - this.#lastPtsUs;
		this.#lastPtsUs = ptsUs;
		if (stepUs === undefined || stepUs <= 0 || stepUs > LONGEST_US) {
			return;
		}
		this.#steps.push(stepUs);
		if (this.#steps.length > WINDOW) {
			this.#steps.shift();
		}
	}

	reset(): void {
		this.#steps = [];
		this.#lastPtsUs = undefined;
	}
}
