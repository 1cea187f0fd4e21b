/** One look at the running system. */
export interface SoakSample {
	readonly atMs: number;
	readonly pageBytes: number;
	readonly workerBytes: number;
	readonly runnerBytes: number;
	readonly latencyP50Ms: number;
	readonly latencyP95Ms: number;
	readonly avSkewMs: number;
	readonly frames: number;
	readonly heldFrames: number;
	readonly droppedFrames: number;
}

const MS_PER_MINUTE = 60_000;
const BYTES_PER_MIB = 1024 * 1024;
/** Memory may move this much around the first full minute's. */
const MEMORY_BAND = 0.1;
/** Latency counts as grown past this share and this many milliseconds: below both it is the machine's noise. */
const LATENCY_SHARE = 0.1;
const LATENCY_MS = 3;

const MEMORY = [
	["page", "pageBytes"],
	["Worker", "workerBytes"],
	["runner", "runnerBytes"],
] as const;

function byMinute(samples: readonly SoakSample[]): SoakSample[][] {
	const minutes: SoakSample[][] = [];
	for (const sample of samples) {
		const index = Math.floor(sample.atMs / MS_PER_MINUTE);
		const minute = minutes[index] ?? [];
		minute.push(sample);
		minutes[index] = minute;
	}
	return minutes.filter((minute) => minute !== undefined && minute.length > 0);
}

function mean(samples: readonly SoakSample[], name: keyof SoakSample): number {
	return samples.reduce((sum, sample) => sum + sample[name], 0) / samples.length;
}

/**
 * What grew, in words; nothing when all is flat. Memory of each part must stay within ±10 % of its mean in the second minute (the first
 * warms up), and median latency must be no higher in the last minute than in the second.
 */
export function judgeSoak(samples: readonly SoakSample[]): string[] {
	const [, second, ...later] = byMinute(samples);
	const last = later.at(-1);
	if (second === undefined || last === undefined) {
		return ["expected samples of three minutes at least, to compare the last with the second"];
	}
	const faults: string[] = [];
	for (const [part, name] of MEMORY) {
		const reference = mean(second, name);
		for (const [index, minute] of later.entries()) {
			const now = mean(minute, name);
			if (Math.abs(now - reference) > MEMORY_BAND * reference) {
				faults.push(
					`memory of the ${part}: expected ${mib(reference)} MiB ± 10 %, got ${mib(now)} in minute ${index + 3}`,
				);
			}
		}
	}
	const before = mean(second, "latencyP50Ms");
	const after = mean(last, "latencyP50Ms");
	if (after > before + Math.max(LATENCY_MS, before * LATENCY_SHARE)) {
		faults.push(
			`latency: expected no more than ${before.toFixed(1)} ms as in minute 2, got ${after.toFixed(1)} in the last`,
		);
	}
	return faults;
}

/** A Markdown table, one row a minute. */
export function soakTable(samples: readonly SoakSample[]): string {
	const rows = byMinute(samples).map((minute, index) => {
		const last = minute.at(-1);
		return [
			index + 1,
			...MEMORY.map(([, name]) => mib(mean(minute, name))),
			mean(minute, "latencyP50Ms").toFixed(1),
			mean(minute, "latencyP95Ms").toFixed(1),
			mean(minute, "avSkewMs").toFixed(1),
			last?.frames ?? 0,
			last?.heldFrames ?? 0,
			last?.droppedFrames ?? 0,
		].join(" | ");
	});
	return [
		"| minute | page MiB | Worker MiB | runner MiB | latency p50 ms | p95 ms | skew ms | frames | held | dropped |",
		"|---|---|---|---|---|---|---|---|---|---|",
		...rows.map((row) => `| ${row} |`),
	].join("\n");
}

function mib(bytes: number): string {
	return (bytes / BYTES_PER_MIB).toFixed(0);
}
