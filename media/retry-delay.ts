export interface RetryPolicy {
	/** Longest wait before the first retry. */
	readonly firstMs: number;
	/** Longest wait before any retry. */
	readonly capMs: number;
}

/**
 * How long to wait before retry number `attempt` (0 is the first): exponential, capped, with jitter over the upper half, so that many
 * clients cut off at once do not come back at once, and none comes back at once for ever.
 *
 * @param random a number in [0, 1), such as `Math.random()`
 */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: number): number {
	const longestMs = Math.min(policy.capMs, policy.firstMs * 2 ** Math.min(attempt, 30));
	return longestMs * (0.5 + random / 2);
}
