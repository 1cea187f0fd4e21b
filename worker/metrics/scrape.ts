import type { BroadcastStats } from "../protocol/broadcast-commands.ts";
import type { PoolStats } from "../protocol/object-rpc.ts";
import type { Outcome } from "../protocol/problem.ts";
import type { BroadcastFigures } from "./broadcast-metrics.ts";

/** Live broadcasts whose figures one answer holds: some 150 lines each, and a call to an object each. */
export const MAX_SCRAPED_BROADCASTS = 100;
/** Objects asked at a time, so that one look does not wake a whole deployment at once. */
const ASKED_AT_ONCE = 16;
/** Prometheus gives up after 10 s: what has not answered by then is named instead. */
export const SCRAPE_WITHIN_MS = 8_000;

export interface ScrapePorts {
	stats(broadcastId: string): Promise<Outcome<BroadcastStats>>;
	pool(): Promise<PoolStats>;
	/** Resolves after that long, or never once `signal` is aborted. */
	delay(ms: number, signal: AbortSignal): Promise<void>;
	/** Where a part that failed is told. */
	report(part: { readonly broadcastId?: string }, error: unknown): void;
}

export interface Scraped {
	/** In the order they were asked for; those that are no more are left out. */
	readonly broadcasts: readonly BroadcastFigures[];
	readonly pool: PoolStats | undefined;
}

/** Asks all of them, some at a time, and waits no longer than {@link SCRAPE_WITHIN_MS} in all. */
export async function scrape(broadcastIds: readonly string[], ports: ScrapePorts): Promise<Scraped> {
	const given = new AbortController();
	const timeUp = ports.delay(SCRAPE_WITHIN_MS, given.signal).then(() => "time is up" as const);
	const answers = new Map<string, Outcome<BroadcastStats>>();
	const left = [...broadcastIds];
	const askOneByOne = async () => {
		for (let id = left.shift(); id !== undefined && !given.signal.aborted; id = left.shift()) {
			try {
				answers.set(id, await ports.stats(id));
			} catch (error) {
				ports.report({ broadcastId: id }, error);
			}
		}
	};
	const pool = ports.pool().catch((error: unknown) => {
		ports.report({}, error);
		return undefined;
	});
	await Promise.race([Promise.all(Array.from({ length: ASKED_AT_ONCE }, askOneByOne)), timeUp]);
	const poolStats = await Promise.race([pool, timeUp]);
	given.abort();
	const broadcasts = broadcastIds.flatMap((id): BroadcastFigures[] => {
		const answer = answers.get(id);
		if (answer === undefined || answer.ok) {
			return [{ id, stats: answer?.value }];
		}
		return answer.refusal.kind === "not-found" ? [] : [{ id, stats: undefined }];
	});
	return { broadcasts, pool: poolStats === "time is up" ? undefined : poolStats };
}
