/** How much is measured. */
export interface LiveScope {
	/** For so long each run is looked at. */
	readonly seconds: number;
	/** Broadcasts at once: ours, and the peer's. */
	readonly ours: readonly number[];
	readonly theirs: readonly number[];
}

/** Latencies are those of about the last ten seconds (compositor-page/program/latency-log.ts). */
const SECONDS = 15;
const OURS = [1, 2, 3, 4];
/** One takes a machine of two cores nearly whole. */
const MOST_OF_THEIRS = 2;
const MOST_BROADCASTS = 16;
const MOST_SECONDS = 600;

/** Of the environment: `BENCH_LIVE_BROADCASTS=1,3` and `BENCH_LIVE_SECONDS=5` make it short for a try. */
export function liveScope(environment: Readonly<Record<string, string | undefined>>): LiveScope {
	const { BENCH_LIVE_BROADCASTS: broadcasts, BENCH_LIVE_SECONDS: seconds } = environment;
	const ours = broadcasts === undefined ? OURS : broadcasts.split(",").map(Number);
	if (!ours.every((count) => Number.isInteger(count) && count >= 1 && count <= MOST_BROADCASTS)) {
		throw new Error(`BENCH_LIVE_BROADCASTS: expected numbers from 1 to ${MOST_BROADCASTS}, got ${broadcasts}`);
	}
	const lasting = seconds === undefined ? SECONDS : Number(seconds);
	if (!(lasting >= 1 && lasting <= MOST_SECONDS)) {
		throw new Error(`BENCH_LIVE_SECONDS: expected 1 to ${MOST_SECONDS}, got ${seconds}`);
	}
	return { seconds: lasting, ours, theirs: ours.filter((count) => count <= MOST_OF_THEIRS) };
}
