import type { Verdict } from "../harness/bench.ts";
import { quantile } from "../harness/statistics.ts";
import type { LiveFigures } from "./live-figures.ts";

const MIB = 2 ** 20;
const MOST_CORES = 0.5;
const MOST_BYTES = 512 * MIB;
const MOST_REPEATED = 0.01;
const MOST_OF_THEIRS = 1 / 3;
const MOST_LATENCY_MS = 60;

/** As many broadcasts must be possible on two cores. */
export const SEVERAL = 3;

/** All runs of each way; `undefined` is one in which the machine did not keep the broadcasts on air. */
export interface LiveRuns {
	readonly one: readonly (LiveFigures | undefined)[];
	readonly several: readonly (LiveFigures | undefined)[];
	readonly theirs: readonly (LiveFigures | undefined)[];
}

/** A target is reached when the median reaches it and every run stayed on air. One that was not measured is left out. */
export function liveVerdicts({ one, several, theirs }: LiveRuns): Verdict[] {
	const shares = one.map((ours, run) => {
		const [mine, other] = [ours?.coresEach, theirs[run]?.coresEach];
		return mine === undefined || other === undefined ? undefined : mine / other;
	});
	return [
		verdict(`one broadcast in at most ${MOST_CORES} core`, values(one, "coresEach"), MOST_CORES, (cores) =>
			cores.toFixed(2),
		),
		verdict(
			`one broadcast in at most ${MOST_BYTES / MIB} MiB`,
			values(one, "memoryEachBytes"),
			MOST_BYTES,
			(bytes) => `${(bytes / MIB).toFixed(0)} MiB`,
		),
		verdict(
			`${SEVERAL} broadcasts with at most ${MOST_REPEATED * 100} % of frames repeated`,
			values(several, "repeatedShare"),
			MOST_REPEATED,
			(share) => `${(share * 100).toFixed(1)} %`,
		),
		verdict("at most a third of the cores of x11grab", shares, MOST_OF_THEIRS, (share) => `${share.toFixed(2)}×`),
		verdict(
			`input → encoded p95 at most ${MOST_LATENCY_MS} ms, from ffmpeg -re`,
			values(one, "latencyP95Ms"),
			MOST_LATENCY_MS,
			(ms) => `${ms.toFixed(0)} ms`,
		),
	].filter((each) => each !== undefined);
}

function values(
	runs: readonly (LiveFigures | undefined)[],
	name: "coresEach" | "memoryEachBytes" | "repeatedShare" | "latencyP95Ms",
) {
	return runs.map((run) => run?.[name]);
}

function verdict(
	target: string,
	all: readonly (number | undefined)[],
	most: number,
	show: (value: number) => string,
): Verdict | undefined {
	const known = all.filter((value) => value !== undefined);
	if (all.length === 0) {
		return undefined;
	}
	if (known.length < all.length) {
		return {
			target,
			measured: `${all.length - known.length} of ${all.length} runs did not stay on air`,
			reached: false,
		};
	}
	const median = quantile(known, 0.5);
	return { target, measured: show(median), reached: median <= most };
}
