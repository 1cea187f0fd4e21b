import { makeClips, makeVoices } from "../../scripts/demo/people.ts";
import type { Bench } from "../harness/bench.ts";
import { interleave } from "../harness/interleave.ts";
import { measureScreenGrab } from "./grab-live.ts";
import type { LiveFigures } from "./live-figures.ts";
import { liveResult, ours, theirs } from "./live-result.ts";
import { liveScope } from "./live-scope.ts";
import { TandemLive } from "./tandem-live.ts";

export const LIVE_BENCH: Bench = {
	name: "live",
	about:
		"cores, memory, repeated frames and latency of 1 to 4 live broadcasts at 720p30, beside a grabbed browser window as LiveKit Egress and Jibri do it",
	async run({ runs, folder, say }) {
		const scope = liveScope(process.env);
		say("filming two people");
		const clips = await makeClips(folder, makeVoices(folder));
		// The same number of broadcasts of both, one right after the other.
		const contenders = scope.ours.flatMap((broadcasts) => [
			{
				name: ours(broadcasts),
				measure: async () => {
					// A system of its own each time: what one run leaves warm must not help the next.
					await using tandem = await TandemLive.start(folder, clips, broadcasts);
					return await tandem.measure(broadcasts, scope.seconds);
				},
			},
			...(scope.theirs.includes(broadcasts)
				? [
						{
							name: theirs(broadcasts),
							measure: () => measureScreenGrab(folder, clips, broadcasts, scope.seconds),
						},
					]
				: []),
		]);
		return liveResult(await interleave<LiveFigures | undefined>(contenders, { runs, say }), scope);
	},
};
