/** RTP time is an unsigned 32-bit count of the media's clock (RFC 3550 §5.1): 90 kHz wraps after 13 h 15 min, 48 kHz after a little more than a day. */
const WRAP = 2 ** 32;
const HALF_WRAP = WRAP / 2;

export const VIDEO_CLOCK_RATE = 90_000;
export const OPUS_CLOCK_RATE = 48_000;

/** From one RTP time to another, the shorter way round: negative when `to` is the earlier one. */
export function rtpBetween(from: number, to: number): number {
	const forward = (((to - from) % WRAP) + WRAP) % WRAP;
	return forward < HALF_WRAP ? forward : forward - WRAP;
}

/** The RTP time that lies `by` before this one. */
export function rtpBefore(timestamp: number, by: number): number {
	return (timestamp - by + WRAP) % WRAP;
}

/**
 * Turns the wrapping RTP times of one ssrc into a time line without wraps, by taking each as the one nearest to the last: forwards and backwards, for
 * jumps shorter than 2^31. The first stands for itself.
 */
export class RtpTimestampUnwrapper {
	#last: number | undefined;

	/** @param timestamp unsigned 32 bits, as on the wire */
	unwrap(timestamp: number): number {
		const last = this.#last ?? timestamp;
		this.#last = last + rtpBetween(last, timestamp);
		return this.#last;
	}
}
