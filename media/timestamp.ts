/** Media time on the FLV and RTMP wire is an unsigned 32-bit count of milliseconds, which wraps after 49.7 days. */
const WRAP_MS = 2 ** 32;
const HALF_WRAP_MS = WRAP_MS / 2;

/** Any whole number of milliseconds, negative or past 2^32, as the unsigned 32 bits that go on the wire. */
export function wrapMs(ms: number): number {
	return ((ms % WRAP_MS) + WRAP_MS) % WRAP_MS;
}

/** Unsigned 32-bit milliseconds as the time nearest to `nearMs`, which may be any whole number. */
export function unwrapNearMs(timestampMs: number, nearMs: number): number {
	const forwardMs = wrapMs(timestampMs - nearMs);
	return nearMs + (forwardMs < HALF_WRAP_MS ? forwardMs : forwardMs - WRAP_MS);
}

/**
 * Turns wrapping 32-bit milliseconds into a time line without wraps, by taking each time as the one nearest to the last: forwards and
 * backwards across 2^32, for jumps shorter than 2^31 ms. The first time stands for itself; a step back across zero gives a negative time.
 *
 * Audio and video of one stream share one unwrapper, so that they stay on one time line.
 */
export class TimestampUnwrapper {
	#lastMs: number | undefined;

	/** @param timestampMs unsigned 32-bit milliseconds as read from the wire */
	unwrapMs(timestampMs: number): number {
		if (this.#lastMs === undefined) {
			this.#lastMs = timestampMs;
			return timestampMs;
		}
		this.#lastMs = unwrapNearMs(timestampMs, this.#lastMs);
		return this.#lastMs;
	}
}
