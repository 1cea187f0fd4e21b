import type { BenchResult, Cell } from "../harness/bench.ts";
import { spreadOf } from "../harness/statistics.ts";
import type { StartRun } from "./start-run.ts";

export const WAYS = {
	warm: "Tandem, spare browser ready",
	cold: "Tandem, no spare browser",
	ffmpeg: "ffmpeg started on the same two people",
} as const;

const WARM_WITHIN_MS = 2_000;

const COLUMNS = [
	["admit answered", "answeredMs"],
	["runner assigned", "assignedMs"],
	["browser at the page", "launchedMs"],
	["first picture at the Router", "composedMs"],
	["first key frame at the receiver", "receivedMs"],
] as const satisfies readonly (readonly [string, keyof StartRun])[];

export function startResult(measured: ReadonlyMap<string, readonly StartRun[]>): BenchResult {
	const warm = spreadOf((measured.get(WAYS.warm) ?? []).map(({ receivedMs }) => receivedMs));
	const show = (ms: number) => (ms / 1_000).toFixed(2);
	return {
		tables: [
			{
				title: "Guest admitted → program with the guest",
				columns: ["start", ...COLUMNS.map(([title]) => title)],
				rows: [...measured].map(([name, runs]): Cell[] => [name, ...COLUMNS.map(([, key]) => seconds(runs, key))]),
			},
		],
		verdicts: [
			{
				target: `guest admitted → on air, warm ≤ ${WARM_WITHIN_MS / 1_000} s`,
				measured: `${show(warm.median)} s (${show(warm.min)}–${show(warm.max)})`,
				reached: warm.median <= WARM_WITHIN_MS,
			},
		],
		notes: [
			"Every start has a broadcast and a runner of its own. The host is on air alone and passed through; the guest has come by an invite, publishes 720p30 over RTMP and waits; then the API is asked to admit them, and all times count from that request.",
			"On air is the first key frame at the RTMP receiver in which the guest's number is read. The program never stops: until then the receiver gets the host's own picture.",
			"Without a spare the runner launches Chromium when it is assigned: as right after another broadcast took the spare. Chromium's files are in memory by then, since one round before is not counted.",
			"ffmpeg counts from its start, with both people at nginx-rtmp already, and waits for the next key frame of one and then of the other; it has no host on air before.",
		],
	};
}

function seconds(runs: readonly StartRun[], key: keyof StartRun): Cell {
	const values = runs.flatMap((run) => run[key] ?? []);
	return values.length === 0 ? undefined : { value: spreadOf(values.map((ms) => ms / 1_000)), unit: "s", digits: 2 };
}
