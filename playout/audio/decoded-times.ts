/** Chunks inside a decoder at most: ten seconds of AAC, as a subscription may start with. More means that it swallows some without an answer. */
const MAX_WAITING = 500;

/**
 * The source times of what an `AudioDecoder` gives out. Chromium's stamps its first output with the time of its first chunk
 * and counts samples from there: gaps, jumps and the drift of the source's times are lost. It answers each chunk with one
 * output, in order, so the times are kept here meanwhile.
 */
export class DecodedTimes {
	readonly #waiting: number[] = [];

	/** A chunk that starts at `ptsUs` goes into the decoder. */
	sent(ptsUs: number): void {
		this.#waiting.push(ptsUs);
		if (this.#waiting.length > MAX_WAITING) {
			this.#waiting.shift();
		}
	}

	/** Where the output that has just come starts; `stampedUs`, as the decoder says, where nothing better is known. */
	take(stampedUs: number): number {
		return this.#waiting.shift() ?? stampedUs;
	}

	/** The decoder was given up, and with it what was in it. */
	clear(): void {
		this.#waiting.length = 0;
	}
}
