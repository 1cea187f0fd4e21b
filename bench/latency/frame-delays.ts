import type { FreshFrame } from "../../test/support/faults/fresh-frames.ts";
import type { SeenFrame } from "../../test/support/faults/timeline.ts";

/** One picture of a person's, from their publisher to the first picture at the receiver that shows it. */
export interface FrameDelay {
	readonly number: number;
	readonly sentAtMs: number;
	readonly receivedAtMs: number;
	/** The picture at the receiver. */
	readonly frame: SeenFrame;
}

export interface Window {
	readonly fromMs: number;
	readonly toMs: number;
}

/**
 * What of that was received within the window, in order. Throws on a number that was never sent: then what was read is no number.
 *
 * @param sentAtMs by number
 */
export function frameDelays(
	fresh: readonly FreshFrame[],
	sentAtMs: readonly number[],
	{ fromMs, toMs }: Window,
): FrameDelay[] {
	return fresh
		.filter(({ frame }) => frame.arrivedAtMs >= fromMs && frame.arrivedAtMs <= toMs)
		.map(({ frame, number }) => {
			const sent = sentAtMs[number];
			if (sent === undefined || sent > frame.arrivedAtMs) {
				throw new Error(`latency: expected a picture that had been sent, got number ${number} of ${sentAtMs.length}`);
			}
			return { number, sentAtMs: sent, receivedAtMs: frame.arrivedAtMs, frame };
		});
}

/** Share of the pictures sent, from the first to the last that was received, that nobody saw. */
export function unseenShare(delays: readonly Pick<FrameDelay, "number">[]): number {
	const numbers = delays.map(({ number }) => number);
	const sent = Math.max(...numbers) - Math.min(...numbers) + 1;
	return numbers.length === 0 ? 1 : 1 - new Set(numbers).size / sent;
}
