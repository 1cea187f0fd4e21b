import { makeClips, makeVoices } from "../../scripts/demo/people.ts";
import type { Bench, Cell, Verdict } from "../harness/bench.ts";
import { interleave } from "../harness/interleave.ts";
import { ratios, spreadOf } from "../harness/statistics.ts";
import type { LiveFigures } from "./live-figures.ts";
import { measureScreenGrab } from "./screen-grab.ts";
import { TandemLive } from "./tandem-live.ts";

const SECONDS = 12;
const MOST_BROADCASTS = 4;
const MIB = 2 ** 20;
const TARGET = {
	cores: 0.5,
	memoryBytes: 512 * MIB,
	broadcasts: 3,
	repeatedShare: 0.01,
	ofTheirs: 1 / 3,
	latencyP95Ms: 60,
};

const THEIRS = "x11grab, 1";
const ours = (broadcasts: number) => `Tandem, ${broadcasts}`;

export const LIVE_BENCH: Bench = {
	name: "live",
	about:
		"cores, memory, repeated frames and latency of 1 to 4 live broadcasts at 720p30, beside a grabbed browser window as LiveKit Egress and Jibri do it",
	async run({ runs, folder, say }) {
		say("filming two people");
		const clips = await makeClips(folder, makeVoices(folder));
		const counts = Array.from({ length: MOST_BROADCASTS }, (_, index) => index + 1);
		const measured = await interleave<LiveFigures>(
			[
				...counts.map((broadcasts) => ({
					name: ours(broadcasts),
					measure: async () => {
						// A system of its own each time: what one run leaves warm must not help the next.
						await using tandem = await TandemLive.start(folder, clips, broadcasts);
						return await tandem.measure(broadcasts, SECONDS);
					},
				})),
				{ name: THEIRS, measure: () => measureScreenGrab(folder, clips, 1, SECONDS) },
			],
			{ runs, say },
		);
		const of = (name: string) => measured.get(name) ?? [];
		return {
			tables: [
				{
					title: "Live at 720p30",
					columns: [
						"way, broadcasts at once",
						"cores a broadcast",
						"memory a broadcast",
						"repeated",
						"left out",
						"input → encoded p50",
						"p95",
						"Worker's cores",
					],
					rows: [...counts.map(ours), THEIRS].map((name) => [name, ...figures(of(name))]),
				},
			],
			verdicts: verdicts(of(ours(1)), of(ours(TARGET.broadcasts)), of(THEIRS)),
			notes: [
				`Two people a broadcast over RTMP, side by side, to an RTMP destination each; looked at for ${SECONDS} s once all are on air, 8 s later. Cores and memory (PSS) are those of Chromium: browser, spare browser, page, encoders. Publishers, Worker and destinations run on the same two cores.`,
				"x11grab: Xvfb, a Chromium page with two <video> elements playing the same clips from files, ffmpeg -f x11grab with libx264 veryfast at the same bitrate; its cores are those of all three. No sound and no WebRTC there, which is in its favour.",
				"Latencies are the slowest broadcast's. Repeated and left out are shares of the frames there should be.",
			],
		};
	},
};

function figures(all: readonly LiveFigures[]): Cell[] {
	const spread = (
		value: (figures: LiveFigures) => number | undefined,
		unit: string | undefined,
		digits: number,
	): Cell => {
		const values = all.flatMap((each) => value(each) ?? []);
		return values.length === 0
			? undefined
			: { value: spreadOf(values), digits, ...(unit === undefined ? {} : { unit }) };
	};
	return [
		spread(({ coresEach }) => coresEach, undefined, 2),
		spread(({ memoryEachBytes }) => memoryEachBytes / MIB, "MiB", 0),
		spread(({ repeatedShare }) => repeatedShare * 100, "%", 1),
		spread(({ droppedShare }) => droppedShare * 100, "%", 1),
		spread(({ latencyP50Ms }) => latencyP50Ms, "ms", 0),
		spread(({ latencyP95Ms }) => latencyP95Ms, "ms", 0),
		spread(({ routingCores }) => routingCores, undefined, 2),
	];
}

function verdicts(
	one: readonly LiveFigures[],
	several: readonly LiveFigures[],
	theirs: readonly LiveFigures[],
): Verdict[] {
	const median = (all: readonly LiveFigures[], value: (figures: LiveFigures) => number) =>
		spreadOf(all.map(value)).median;
	const cores = median(one, ({ coresEach }) => coresEach);
	const memoryBytes = median(one, ({ memoryEachBytes }) => memoryEachBytes);
	const repeated = median(several, ({ repeatedShare }) => repeatedShare);
	const share = spreadOf(
		ratios(
			one.map(({ coresEach }) => coresEach),
			theirs.map(({ coresEach }) => coresEach),
		),
	).median;
	const latencyMs = median(one, ({ latencyP95Ms }) => latencyP95Ms ?? Number.NaN);
	return [
		{
			target: `one broadcast in at most ${TARGET.cores} core`,
			measured: cores.toFixed(2),
			reached: cores <= TARGET.cores,
		},
		{
			target: `one broadcast in at most ${TARGET.memoryBytes / MIB} MiB`,
			measured: `${(memoryBytes / MIB).toFixed(0)} MiB`,
			reached: memoryBytes <= TARGET.memoryBytes,
		},
		{
			target: `${TARGET.broadcasts} broadcasts with at most ${TARGET.repeatedShare * 100} % of frames repeated`,
			measured: `${(repeated * 100).toFixed(1)} %`,
			reached: repeated <= TARGET.repeatedShare,
		},
		{
			target: "at most a third of the cores of x11grab",
			measured: `${share.toFixed(2)}×`,
			reached: share <= TARGET.ofTheirs,
		},
		{
			target: `input → encoded p95 at most ${TARGET.latencyP95Ms} ms`,
			measured: `${latencyMs.toFixed(0)} ms`,
			reached: latencyMs <= TARGET.latencyP95Ms,
		},
	];
}
