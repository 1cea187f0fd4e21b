import { PercentileWindow } from "../percentile-window.ts";

/** Two seconds at 30 fps: what a decoder holds back changes with the stream, hardly within it. */
const WINDOW = 60;
/** Looked at again about once a second. */
const PICTURES_BETWEEN = 30;
/** What is left for a decoder that takes a little longer than nearly ever before. */
const MARGIN_MS = 3;
const QUANTILE = 0.95;

/**
 * How long before its play-out a frame must be there so that its picture is ready: what the decoder takes beyond the time that reordered
 * frames have to spare anyway. A decoder that reorders, or works on several frames at once, gives a picture out only frames later.
 */
export class DecodeLead {
	readonly #excessMs = new PercentileWindow(WINDOW);
	#sinceLook = 0;

	/**
	 * Takes note of a picture; answers a new lead now and then, otherwise `undefined`.
	 *
	 * @param spareMs presentation time minus decode time of its frame
	 */
	note(decodeMs: number, spareMs: number): number | undefined {
		this.#excessMs.add(decodeMs - spareMs);
		this.#sinceLook += 1;
		if (this.#sinceLook < PICTURES_BETWEEN) {
			return undefined;
		}
		this.#sinceLook = 0;
		const [excessMs = 0] = this.#excessMs.quantiles(QUANTILE);
		return Math.max(0, excessMs) + MARGIN_MS;
	}
}
