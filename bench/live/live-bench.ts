import { makeClips, makeVoices } from "../../scripts/demo/people.ts";
import type { Bench, Cell } from "../harness/bench.ts";
import { interleave } from "../harness/interleave.ts";
import { spreadOf } from "../harness/statistics.ts";
import type { LiveFigures } from "./live-figures.ts";
import { liveVerdicts, SEVERAL } from "./live-verdicts.ts";
import { measureScreenGrab } from "./screen-grab.ts";
import { TandemLive } from "./tandem-live.ts";

const SECONDS = 12;
const MOST_BROADCASTS = 4;
const MIB = 2 ** 20;
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
		const measured = await interleave<LiveFigures | undefined>(
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
		const of = (name: string) => (measured.get(name) ?? []).filter((each) => each !== undefined);
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
						"Worker's cores",
					],
					rows: [...counts.map(ours), THEIRS].map((name) => [
						name,
						`${of(name).length} of ${runs} runs`,
						...figures(of(name)),
					]),
				},
			],
			verdicts: liveVerdicts({
				one: measured.get(ours(1)) ?? [],
				several: measured.get(ours(SEVERAL)) ?? [],
				theirs: measured.get(THEIRS) ?? [],
			}),
			notes: [
				`Two people a broadcast over RTMP, side by side, to an RTMP destination each; looked at for ${SECONDS} s once all are on air, 8 s later. Cores and memory (PSS) are those of Chromium: browser, page, decoders, encoders; the spare browser that stands by for all is counted in cores, and apart in memory. Publishers, Worker and destinations run on the same two cores.`,
				"x11grab: Xvfb, a Chromium page with two <video> elements playing the same clips from files, ffmpeg -f x11grab with libx264 veryfast at the same bitrate; its cores are those of all three. No sound and no WebRTC there, which is in its favour.",
				"Publishers are ffmpeg -re, which holds a picture back until there is sound of its time: some 20 to 40 ms of unevenness that the jitter buffer has to cover. With evenly paced publishers input → encoded is what `latency` shows. Latencies are the slowest broadcast's. Repeated and left out are shares of the frames there should be.",
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
		spread(({ spareBytes }) => (spareBytes === undefined ? undefined : spareBytes / MIB), "MiB", 0),
		spread(({ repeatedShare }) => repeatedShare * 100, "%", 1),
		spread(({ droppedShare }) => droppedShare * 100, "%", 1),
		spread(({ latencyP50Ms }) => latencyP50Ms, "ms", 0),
		spread(({ latencyP95Ms }) => latencyP95Ms, "ms", 0),
		spread(({ routingCores }) => routingCores, undefined, 2),
	];
}
