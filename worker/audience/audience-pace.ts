/** How often a shard counts when people come and go; also how often a total that changed alone is told at most. */
export const COUNT_EVERY_MS = 5_000;
/** How often it counts while the same people stay, so that a shard or a Broadcast that was lost is made good. */
export const COUNT_AGAIN_MS = 30_000;
/** What a shard was told longer ago may be out of date: a Broadcast tells those of changes that counted in the last 90 s. */
export const TRUST_STATE_MS = 60_000;
/** A total that is off by less is as good: of 100,000 people some come and go every second, and nobody could read the difference. */
const TELL_TOTAL_SHARE = 0.01;

/** What a shard knows of its counting. */
export interface Counting {
	/** Open sockets now. */
	readonly count: number;
	/** What it told the Broadcast last, and when; absent before the first time. */
	readonly told?: { readonly count: number; readonly atMs: number } | undefined;
}

/** When to count next; `undefined` where nobody is there and the Broadcast knows. */
export function nextCountMs({ count, told }: Counting, nowMs: number): number | undefined {
	if (told === undefined) {
		return count === 0 ? undefined : nowMs;
	}
	if (count !== told.count) {
		return told.atMs + COUNT_EVERY_MS;
	}
	return count === 0 ? undefined : told.atMs + COUNT_AGAIN_MS;
}

/** Whether a new total is worth a message to everyone, after they were told `before`. */
export function isWorthTelling(before: number, total: number): boolean {
	return total !== before && Math.abs(total - before) >= before * TELL_TOTAL_SHARE;
}
