import type { BenchResult, Cell } from "../harness/bench.ts";
import { spreadOf } from "../harness/statistics.ts";
import type { LiveFigures } from "./live-figures.ts";
import type { LiveScope } from "./live-scope.ts";
import { liveVerdicts, SEVERAL } from "./live-verdicts.ts";

const MIB = 2 ** 20;

export const ours = (broadcasts: number) => `Tandem, ${broadcasts}`;
export const theirs = (broadcasts: number) => `x11grab, ${broadcasts}`;

/** Runs by the names of the ways; `undefined` is one in which the machine did not keep the broadcasts on air. */
export function liveResult(
	measured: ReadonlyMap<string, readonly (LiveFigures | undefined)[]>,
	scope: LiveScope,
): BenchResult {
	const runsOf = (name: string) => measured.get(name) ?? [];
	const onAir = (name: string) => runsOf(name).filter((run) => run !== undefined);
	const ways = [...scope.ours.map(ours), ...scope.theirs.map(theirs)];
	return {
		tables: [
			{
				title: "Live at 720p30",
				columns: [
					"way, broadcasts at once",
					"stayed on air",
					"cores a broadcast",
					"memory a broadcast",
					"spare browser",
					"repeated",
					"left out",
					"input → encoded p50",
					"p95",
				],
				rows: ways.map((name) => [
					name,
					`${onAir(name).length} of ${runsOf(name).length} runs`,
					...liveCells(onAir(name)),
				]),
			},
			{
				title: "Cores of all that takes part",
				columns: [
					"way, broadcasts at once",
					"compositors",
					"Worker",
					"runner and destinations",
					"publishers",
					"together",
				],
				rows: ways.map((name) => [name, ...coreCells(onAir(name))]),
			},
		],
		verdicts: liveVerdicts({
			one: runsOf(ours(1)),
			several: runsOf(ours(SEVERAL)),
			theirs: runsOf(theirs(1)),
		}),
		notes: [
			`Two people a broadcast over RTMP, side by side, to an RTMP destination each; looked at for ${scope.seconds} s once all are on air, 8 s later. Cores and memory (PSS) are those of Chromium: browser, page, decoders, encoders; the spare browser that stands by for all is counted in cores, and apart in memory, where pages that browsers share count in shares. Publishers, Worker and destinations run on the same two cores.`,
			"x11grab: Xvfb, a Chromium page with two <video> elements playing the same clips from files, ffmpeg -f x11grab with libx264 veryfast at the same bitrate, into no destination; its cores are those of all three. No sound and no WebRTC there, which is in its favour. Left out are frames that ffmpeg dropped or that its rate lacks, and pictures that the page did not show; repeated are those that ffmpeg made twice, which does not tell a page that stood still.",
			"Publishers are ffmpeg -re, which holds a picture back until there is sound of its time: some 20 to 40 ms of unevenness that the jitter buffer has to cover. With evenly paced publishers input → encoded is what `latency` shows. Latencies are the slowest broadcast's, of about the last ten seconds. Repeated and left out are shares of the frames there should be.",
		],
	};
}

function liveCells(runs: readonly LiveFigures[]): Cell[] {
	return [
		cell(runs, ({ coresEach }) => coresEach, undefined, 2),
		cell(runs, ({ memoryEachBytes }) => memoryEachBytes / MIB, "MiB", 0),
		cell(runs, ({ spareBytes }) => (spareBytes === undefined ? undefined : spareBytes / MIB), "MiB", 0),
		cell(runs, ({ repeatedShare }) => repeatedShare * 100, "%", 1),
		cell(runs, ({ droppedShare }) => droppedShare * 100, "%", 1),
		cell(runs, ({ latencyP50Ms }) => latencyP50Ms, "ms", 0),
		cell(runs, ({ latencyP95Ms }) => latencyP95Ms, "ms", 0),
	];
}

function coreCells(runs: readonly LiveFigures[]): Cell[] {
	const compositors = ({ coresEach, broadcasts }: LiveFigures) => coresEach * broadcasts;
	return [
		cell(runs, compositors, undefined, 2),
		cell(runs, ({ around }) => around?.worker, undefined, 2),
		cell(runs, ({ around }) => around?.runner, undefined, 2),
		cell(runs, ({ around }) => around?.publishers, undefined, 2),
		cell(
			runs,
			(run) =>
				compositors(run) +
				(run.around === undefined ? 0 : run.around.worker + run.around.runner + run.around.publishers),
			undefined,
			2,
		),
	];
}

/** The spread over the runs; nothing where none has the figure. */
function cell(
	runs: readonly LiveFigures[],
	value: (run: LiveFigures) => number | undefined,
	unit: string | undefined,
	digits: number,
): Cell {
	const values = runs.flatMap((run) => value(run) ?? []);
	return values.length === 0 ? undefined : { value: spreadOf(values), digits, ...(unit === undefined ? {} : { unit }) };
}
