import type { ProcessTime } from "../../scripts/process-usage.ts";

/** Processor seconds of each browser with all of its pages, decoders and encoders, by its first process. */
export type Browsers = ReadonlyMap<number, number>;

/** Of processes, those whose parent is not among them are the first of a browser, and the others belong to one of these. */
export function browsersAmong(times: readonly ProcessTime[]): Browsers {
	const parents = new Map(times.map(({ pid, parent }) => [pid, parent]));
	const browsers = new Map<number, number>();
	for (const { pid, cpuSeconds } of times) {
		let first = pid;
		for (let parent = parents.get(first); parent !== undefined && parents.has(parent); parent = parents.get(first)) {
			first = parent;
		}
		browsers.set(first, (browsers.get(first) ?? 0) + cpuSeconds);
	}
	return browsers;
}

/** Processor seconds between two looks. A browser that came in between counts from its beginning, and one that went not at all. */
export function workBetween(before: Browsers, after: Browsers): Browsers {
	return new Map([...after].map(([pid, cpuSeconds]) => [pid, cpuSeconds - (before.get(pid) ?? 0)]));
}

/** The browsers with a broadcast are those that worked most; the rest stand by. */
export function browsersByDuty(
	work: Browsers,
	broadcasts: number,
): { readonly onAir: readonly number[]; readonly spare: readonly number[] } {
	const busiestFirst = [...work].sort(([, a], [, b]) => b - a).map(([pid]) => pid);
	if (busiestFirst.length < broadcasts) {
		throw new RangeError(`live: expected a browser for each of ${broadcasts} broadcasts, got ${busiestFirst.length}`);
	}
	return { onAir: busiestFirst.slice(0, broadcasts), spare: busiestFirst.slice(broadcasts) };
}
