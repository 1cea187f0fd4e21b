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
 * What grew, in words; nothing when all is flat. The first minute warms up. After it, memory of each part must stay within ±10 % of its median, and
 * its last third must be no more than 10 % above its first; median latency must be no higher in the last minute than in the second.
 */
export function judgeSoak(samples: readonly SoakSample[]): string[] {
	const [, ...warm] = wholeMinutes(samples);
	const [second] = warm;
	const last = warm.at(-1);
	if (second === undefined || last === undefined || warm.length < 2) {
		return ["expected samples of three minutes at least, to compare the last with the second"];
	}
	const faults: string[] = [];
	for (const [part, name] of MEMORY) {
		const minutes = warm.map((minute) => mean(minute, name));
		const median = [...minutes].sort((a, b) => a - b)[Math.floor(minutes.length / 2)] ?? 0;
		for (const [index, now] of minutes.entries()) {
			if (Math.abs(now - median) > MEMORY_BAND * median) {
				faults.push(
					`memory of the ${part}: expected ${mib(median)} MiB ± 10 %, got ${mib(now)} in minute ${index + 2}`,
				);
			}
		}
		const third = Math.max(1, Math.floor(warm.length / 3));
		const early = mean(warm.slice(0, third).flat(), name);
		const late = mean(warm.slice(-third).flat(), name);
		if (late > early * (1 + MEMORY_BAND)) {
			faults.push(
				`memory of the ${part}: expected ${mib(early)} MiB and at most 10 % more, got ${mib(late)} at the end`,
			);
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

/** Minutes without the last if that was cut short: a few samples are no mean. */
function wholeMinutes(samples: readonly SoakSample[]): SoakSample[][] {
	const minutes = byMinute(samples);
	const [first, last] = [minutes[0], minutes.at(-1)];
	return first !== undefined && last !== undefined && last.length < first.length / 2 ? minutes.slice(0, -1) : minutes;
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
