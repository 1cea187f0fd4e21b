import { startTandem } from "../../scripts/local-system.ts";
import type { Bench, BenchContext, BenchResult } from "../harness/bench.ts";
import { interleave } from "../harness/interleave.ts";
import { makeFeeds } from "../latency/feeds.ts";
import { startFfmpeg } from "./ffmpeg-start.ts";
import { startResult, WAYS } from "./start-result.ts";
import type { StartRun } from "./start-run.ts";
import { startInTandem } from "./tandem-start.ts";

const CLIP_SECONDS = 120;
/** What one start leaves behind is gone before the next begins. */
const REST_MS = 3_000;

export const START_BENCH: Bench = {
	name: "start",
	about: "guest admitted to first composited key frame at the RTMP receiver, with and without a spare browser",
	run,
};

async function run({ runs, folder, cleanUp, say }: BenchContext): Promise<BenchResult> {
	say("filming two people");
	const feeds = await makeFeeds(folder, CLIP_SECONDS);
	// Runners are brought by each start; the system's own takes RTMP.
	const system = await startTandem({ port: 0, rtmpPort: 0, capacity: 0 });
	cleanUp.add(() => system.stop());
	const measured = await interleave<StartRun>(
		[
			{ name: WAYS.warm, measure: () => startInTandem(system, feeds, "warm") },
			{ name: WAYS.cold, measure: () => startInTandem(system, feeds, "cold") },
			{ name: WAYS.ffmpeg, measure: () => startFfmpeg(folder, feeds) },
		],
		{ runs, warmUp: true, restMs: REST_MS, say },
	);
	return startResult(measured);
}
