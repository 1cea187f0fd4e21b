import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { PublishRejection } from "../../../rtmp/acceptor.ts";
import { RecordingDestination } from "../../../test/support/faults/recording-destination.ts";
import { waitFor } from "../../wait-for.ts";
import type { FaultCase } from "../fault-case.ts";
import type { Stage } from "../stage.ts";

/** Destinations that go away, refuse, or stand still. What they do must not reach the others. */

const FAULT_MS = 5_000;
const DELAY_MS = 2_000;
/** How long a server holds a session that is dead before it lets a new one in. */
const BUSY_MS = 4_000;
const STATE_WITHIN_MS = 40_000;
const UNNOTICED = { maxFreezeMs: 250 } as const;
/** A port that nobody listens on: 9 is "discard". */
const DEAD_URL = "rtmp://127.0.0.1:9/live";

async function soloOnAir(stage: Stage): Promise<void> {
	await stage.goLive();
	await stage.publish("host", "host");
	await stage.settle();
}

function downFor(ms: number): FaultCase["run"] {
	return async (stage) => {
		await soloOnAir(stage);
		await stage.inject(() => stage.destination.down());
		await sleep(ms);
		await stage.restore(() => stage.destination.up());
	};
}

async function addDestination(stage: Stage, url: string): Promise<string> {
	const path = `/api/broadcasts/${stage.broadcastId}/destinations`;
	return z.object({ id: z.string() }).parse(await stage.bench.api.call("POST", path, { url, streamKey: "second" })).id;
}

async function removeDestination(stage: Stage, id: string): Promise<void> {
	await stage.bench.api.call("DELETE", `/api/broadcasts/${stage.broadcastId}/destinations/${id}`);
}

async function untilState(stage: Stage, id: string, state: string): Promise<void> {
	await waitFor(`the second destination to be ${state}`, STATE_WITHIN_MS, async () => {
		const { destinations } = await stage.stats();
		return destinations.find((each) => each.id === id)?.state === state || undefined;
	});
}

export const DESTINATIONS: readonly FaultCase[] = [
	{
		name: "destination-down-10s",
		what: "destination is down for 10 s",
		compositors: 0,
		targets: { maxSessions: 2, maxResumeMs: 5_000 },
		run: downFor(10_000),
	},
	{
		name: "destination-down-60s",
		what: "destination is down for 60 s",
		compositors: 0,
		targets: { maxSessions: 2, maxResumeMs: 5_000 },
		run: downFor(60_000),
	},
	{
		name: "destination-cut",
		what: "destination's line is cut",
		compositors: 0,
		targets: { maxSessions: 2, maxRecoverMs: 3_000 },
		run: async (stage) => {
			await soloOnAir(stage);
			await stage.inject(() => stage.destinationLine.cut());
			await waitFor("another session", STATE_WITHIN_MS, () => stage.destination.sessions[1]);
		},
	},
	{
		name: "destination-busy",
		what: "the same, and it says “already publishing” for 4 s",
		compositors: 0,
		targets: { maxSessions: 2, maxResumeMs: 5_000 },
		run: async (stage) => {
			await soloOnAir(stage);
			const busy = new PublishRejection("NetStream.Publish.BadName", "Already publishing");
			await stage.inject(() => {
				stage.destination.refusal = () => busy;
				stage.destinationLine.cut();
			});
			await sleep(BUSY_MS);
			await stage.restore(() => {
				stage.destination.refusal = undefined;
			});
			await waitFor("another session", STATE_WITHIN_MS, () => stage.destination.sessions[1]);
		},
	},
	{
		name: "destination-delay",
		what: "destination's line is late by 2 s, for 5 s",
		compositors: 0,
		targets: { maxLatencyBackMs: 3_000 },
		run: async (stage) => {
			await soloOnAir(stage);
			await stage.inject(() => stage.destinationLine.set({ kind: "delay", ms: DELAY_MS }));
			await sleep(FAULT_MS);
			await stage.restore(() => stage.destinationLine.set({ kind: "none" }));
		},
	},
	{
		name: "destination-blackhole",
		what: "destination's line is dead for 5 s",
		compositors: 0,
		targets: { maxSessions: 2, maxResumeMs: 5_000, maxLatencyBackMs: 3_000 },
		run: async (stage) => {
			await soloOnAir(stage);
			await stage.inject(() => stage.destinationLine.set({ kind: "blackhole" }));
			await sleep(FAULT_MS);
			await stage.restore(() => stage.destinationLine.set({ kind: "none" }));
		},
	},
	{
		name: "second-dead",
		what: "one more destination refuses the key, another is not there",
		compositors: 0,
		targets: UNNOTICED,
		run: async (stage) => {
			await soloOnAir(stage);
			await using refusing = await RecordingDestination.listen();
			refusing.refusal = () => new PublishRejection("NetStream.Publish.BadName", "no such stream key");
			await stage.inject(async () => {
				const dead = await addDestination(stage, DEAD_URL);
				const refused = await addDestination(stage, refusing.url);
				await untilState(stage, dead, "retrying");
				await untilState(stage, refused, "refused");
			});
			stage.expect(
				refusing.connectedAtMs.length === 1,
				`expected a refusal to be final, got ${refusing.connectedAtMs.length} attempts`,
			);
		},
	},
	{
		name: "second-live",
		what: "one more destination is added on air, and removed",
		compositors: 0,
		targets: UNNOTICED,
		run: async (stage) => {
			await soloOnAir(stage);
			await using second = await RecordingDestination.listen();
			await stage.inject(async () => {
				const id = await addDestination(stage, second.url);
				await stage.untilFlows(second);
				await removeDestination(stage, id);
				await waitFor("its session to end", STATE_WITHIN_MS, () => second.sessions[0]?.endedAtMs);
			});
			stage.expect(second.sessions.length === 1, `expected one session there, got ${second.sessions.length}`);
		},
	},
];
