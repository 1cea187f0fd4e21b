import { startTandem } from "../../scripts/local-system.ts";
import type { Bench, BenchContext, BenchResult } from "../harness/bench.ts";
import { interleave } from "../harness/interleave.ts";
import { makeFeeds } from "./feeds.ts";
import { throughFfmpegCompositor, throughRelay } from "./ffmpeg-ways.ts";
import { latencyResult, WAYS } from "./latency-result.ts";
import type { LatencyRun } from "./latency-run.ts";
import { throughTandem } from "./tandem-way.ts";

/** Until two people are on air, the settling and what is measured, on a machine that is slow to start a browser. */
const CLIP_SECONDS = 120;
/** What one contender leaves behind is gone before the next begins. */
const REST_MS = 3_000;

export const LATENCY_BENCH: Bench = {
	name: "latency",
	about: "capture to program at an RTMP receiver, stage by stage, beside nginx-rtmp and ffmpeg",
	run,
};

async function run({ runs, folder, cleanUp, say }: BenchContext): Promise<BenchResult> {
	say("filming two people");
	const feeds = await makeFeeds(folder, CLIP_SECONDS);
	const system = await startTandem({ port: 0, rtmpPort: 0, capacity: 1 });
	cleanUp.add(() => system.stop());
	const measured = await interleave<LatencyRun>(
		[
			{ name: WAYS.tandem, measure: () => throughTandem(system, feeds) },
			{ name: WAYS.relay, measure: () => throughRelay(folder, feeds) },
			{ name: WAYS.ffmpeg, measure: () => throughFfmpegCompositor(folder, feeds) },
		],
		{ runs, restMs: REST_MS, say },
	);
	return latencyResult(measured);
}
