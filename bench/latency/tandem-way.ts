import { ApiClient } from "../../scripts/api.ts";
import type { LocalSystem } from "../../scripts/local-system.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { RecordingDestination } from "../../test/support/faults/recording-destination.ts";
import { TALKERS, type Talker } from "../../test/support/system/talkers.ts";
import type { CompositorStats } from "../../worker/protocol/compositor-stats.ts";
import { MAIN_PROGRAM_STREAM } from "../../worker/protocol/roles.ts";
import { ClockedPublisher } from "./clocked-publisher.ts";
import { type Feeds, LAYOUT, PROGRAM, TOGETHER } from "./feeds.ts";
import { type InsideTandem, type LatencyRun, latencyRun } from "./latency-run.ts";
import { picturesOf } from "./measured-part.ts";
import { RouterTap } from "./router-tap.ts";
import { type FramePath, stageTimes } from "./stage-times.ts";
import { measuredWindow, ON_AIR_WITHIN_MS, type SeenPerson, seenPeople, untilFlows } from "./watched.ts";

/** Two people through the whole system, over real RTMP at both ends. */
export async function throughTandem(system: LocalSystem, feeds: Feeds): Promise<LatencyRun> {
	const { receiver, publishers, taps, window, stats } = await record(system, feeds);
	const people = await seenPeople(receiver, publishers, TOGETHER, window);
	return latencyRun(people, inside(people, feeds, taps, stats));
}

/** Everything has ended when this resolves, so that nothing is live while its pictures are read. */
async function record(system: LocalSystem, feeds: Feeds) {
	await using undo = new AsyncDisposableStack();
	const receiver = undo.use(await RecordingDestination.listen());
	const api = new ApiClient(system.apiUrl, system.adminToken);
	const { id, ingest } = await api.create({
		title: "Latency",
		layout: LAYOUT,
		...PROGRAM,
		alwaysCompose: true,
		destinations: [{ url: receiver.url, streamKey: "program" }],
	});
	undo.defer(() => api.end(id));
	await api.start(id);
	const publish = async (talker: Talker) => {
		const { url, streamKey } = ingest[talker].rtmp;
		return undo.use(await ClockedPublisher.start(url, streamKey, feeds[talker]));
	};
	const publishers = { host: await publish("host"), guest: await publish("guest") };
	const taps = {
		host: undo.use(await RouterTap.open(system, id, "host")),
		guest: undo.use(await RouterTap.open(system, id, "guest")),
		program: undo.use(await RouterTap.open(system, id, MAIN_PROGRAM_STREAM)),
	};
	const figures = async () => (await api.stats(id)).compositor.reported?.stats;
	await waitFor("two people on air", ON_AIR_WITHIN_MS, async () => {
		const live = (await figures())?.people.filter(({ picture }) => picture === "live") ?? [];
		return live.length === TALKERS.length || undefined;
	});
	await untilFlows(receiver);
	const window = await measuredWindow(publishers);
	const stats = await figures();
	if (stats === undefined) {
		throw new Error("latency: expected the compositor's figures, got none");
	}
	return { receiver, publishers, taps, window, stats };
}

type Taps = Readonly<Record<Talker | "program", RouterTap>>;

function inside(people: readonly SeenPerson[], feeds: Feeds, taps: Taps, stats: CompositorStats): InsideTandem {
	const { inputToEncodedP50: p50, inputToEncodedP95: p95 } = stats.latencyMs;
	const { decode, composite, encode } = stats.stagesMs;
	const delaysMs = stats.people.map(({ delayMs }) => delayMs);
	return {
		stages: stageTimes(people.flatMap((person) => pathsOf(person, feeds, taps))),
		inPage: { inputToEncoded: { p50, p95 }, decode, composite, encode },
		playOutDelayMs: delaysMs.reduce((sum, delayMs) => sum + delayMs, 0) / delaysMs.length,
	};
}

function pathsOf({ talker, delays, tags }: SeenPerson, feeds: Feeds, taps: Taps): FramePath[] {
	const pictures = picturesOf({ tags: feeds[talker] });
	return delays.map(({ number, sentAtMs, receivedAtMs }, index) => {
		const [sent, received] = [pictures[number], tags[index]];
		const atRouterMs = sent && taps[talker].heardAtMs(sent, sentAtMs);
		const composedAtMs = received && taps.program.heardAtMs(received, receivedAtMs);
		if (atRouterMs === undefined || composedAtMs === undefined) {
			throw new Error(`latency: expected picture ${number} of the ${talker} to have passed the Router, got no trace`);
		}
		return { sentAtMs, atRouterMs, composedAtMs, receivedAtMs };
	});
}
