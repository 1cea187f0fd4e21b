import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Log } from "../../runner/log.ts";
import { Runner } from "../../runner/runner.ts";
import { ApiClient } from "../../scripts/api.ts";
import type { LocalSystem } from "../../scripts/local-system.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { RecordingDestination } from "../../test/support/faults/recording-destination.ts";
import { MAIN_COMPOSITE_STREAM } from "../../worker/protocol/roles.ts";
import { ClockedPublisher } from "../latency/clocked-publisher.ts";
import { type Feeds, LAYOUT, PROGRAM } from "../latency/feeds.ts";
import { RouterTap } from "../latency/router-tap.ts";
import { ON_AIR_WITHIN_MS, untilFlows } from "../latency/watched.ts";
import { ColdRunner } from "./cold-runner.ts";
import { firstTogether, SHOWS_ON_MS } from "./receiver-sees.ts";
import type { StartRun } from "./start-run.ts";

const READY_WITHIN_MS = 60_000;
/** Whatever was started has come to rest, and the guest has waited for longer than a group of pictures. */
const QUIET_MS = 4_000;

const placesSchema = z.object({ freePlaces: z.number() });
const inviteSchema = z.object({ code: z.string() });
const joinedSchema = z.object({
	personId: z.literal("guest"),
	admitted: z.literal(false),
	ingest: z.object({ rtmp: z.object({ url: z.string(), streamKey: z.string() }) }),
});
const sourcesSchema = z.object({
	sources: z.array(z.object({ stream: z.string(), publisherConnected: z.boolean() })),
});

/** What a start needs to know of the runner that serves it. */
interface StandingRunner {
	readonly assignedAtMs: () => number | undefined;
	/** `undefined` with a spare: it is there already. */
	readonly launchedAtMs: () => number | undefined;
	readonly stop: () => Promise<void>;
}

/**
 * A fresh broadcast and a fresh runner: the host is on air alone and passed through, the guest has come by an invite, publishes and waits, and is then
 * admitted. The system has no other place for compositors.
 */
export async function startInTandem(system: LocalSystem, feeds: Feeds, kind: "warm" | "cold"): Promise<StartRun> {
	const { receiver, admittedAtMs, ...moments } = await record(system, feeds, kind);
	const { arrivedAtMs } = await firstTogether(receiver, admittedAtMs);
	const since = (atMs: number | undefined) => (atMs === undefined ? Number.NaN : atMs - admittedAtMs);
	return {
		answeredMs: since(moments.answeredAtMs),
		assignedMs: since(moments.assignedAtMs),
		...(kind === "warm" ? {} : { launchedMs: since(moments.launchedAtMs) }),
		composedMs: since(moments.composedAtMs),
		receivedMs: since(arrivedAtMs),
	};
}

/** Everything has ended when this resolves. */
async function record(system: LocalSystem, feeds: Feeds, kind: "warm" | "cold") {
	await using undo = new AsyncDisposableStack();
	const api = new ApiClient(system.apiUrl, system.adminToken);
	const freePlaces = async () => placesSchema.parse(await api.call("GET", "/api/health")).freePlaces;
	await waitFor("no runner but ours", READY_WITHIN_MS, async () => (await freePlaces()) === 0 || undefined);
	const runner = await (kind === "warm" ? startWarm(system) : startCold(system));
	undo.defer(runner.stop);
	await waitFor("the Worker to know the runner", READY_WITHIN_MS, async () => (await freePlaces()) === 1 || undefined);

	const receiver = undo.use(await RecordingDestination.listen());
	const { id, ingest } = await api.create({
		title: "Start",
		layout: LAYOUT,
		...PROGRAM,
		destinations: [{ url: receiver.url, streamKey: "program" }],
	});
	undo.defer(() => api.end(id));
	await api.start(id);
	const { url, streamKey } = ingest.host.rtmp;
	const host = undo.use(await ClockedPublisher.start(url, streamKey, feeds.host));
	await waitFor("the host to be passed through", ON_AIR_WITHIN_MS, async () =>
		(await api.stats(id)).program?.source === "host" ? true : undefined,
	);
	await untilFlows(receiver);
	const guest = undo.use(await joinAsGuest(system, api, id, feeds));
	const tap = undo.use(await RouterTap.open(system, id, MAIN_COMPOSITE_STREAM));
	await sleep(QUIET_MS);
	if (runner.assignedAtMs() !== undefined) {
		throw new Error("start: expected no compositor before the guest's admission, got one");
	}

	const admittedAtMs = performance.now();
	await api.call("POST", `/api/broadcasts/${id}/people/guest/admit`);
	const answeredAtMs = performance.now();
	await waitFor("the program to be composed", ON_AIR_WITHIN_MS, async () =>
		(await api.stats(id)).program?.source === "composite" ? true : undefined,
	);
	await sleep(SHOWS_ON_MS);
	host.mustGoOn();
	guest.mustGoOn();
	return {
		receiver,
		admittedAtMs,
		answeredAtMs,
		assignedAtMs: runner.assignedAtMs(),
		launchedAtMs: runner.launchedAtMs(),
		composedAtMs: tap.firstAtMs,
	};
}

/** By an invite that lets nobody in by itself; resolves when their media is there. */
async function joinAsGuest(system: LocalSystem, api: ApiClient, id: string, feeds: Feeds): Promise<ClockedPublisher> {
	const path = `/api/broadcasts/${id}`;
	const { code } = inviteSchema.parse(
		await api.call("POST", `${path}/invites`, { name: "Guest", admission: "manual" }),
	);
	const guest = new ApiClient(system.apiUrl, code);
	const { ingest } = joinedSchema.parse(await guest.call("POST", `${path}/join`, {}));
	const publisher = await ClockedPublisher.start(ingest.rtmp.url, ingest.rtmp.streamKey, feeds.guest);
	try {
		await waitFor("the guest's media to be there", READY_WITHIN_MS, async () => {
			const { sources } = sourcesSchema.parse(await api.call("GET", `${path}/stats`));
			return sources.some(({ stream, publisherConnected }) => stream === "guest" && publisherConnected) || undefined;
		});
		return publisher;
	} catch (error) {
		await publisher[Symbol.asyncDispose]();
		throw error;
	}
}

/** The runner as it is, with a spare browser at the page. */
async function startWarm({ apiUrl, runnerToken }: LocalSystem): Promise<StandingRunner> {
	const { log, assignedAtMs } = listeningLog();
	const settings = { apiUrl, runnerToken, capacity: 1, egressPlaces: 0, rtmpPort: 0, rtmpHost: "127.0.0.1" };
	// A refusal rejects the start.
	const runner = new Runner({ ...settings, log, onRefused: () => {} });
	return await started(runner, { assignedAtMs, launchedAtMs: () => undefined });
}

async function startCold({ apiUrl, runnerToken }: LocalSystem): Promise<StandingRunner> {
	const { log, assignedAtMs } = listeningLog();
	const runner = new ColdRunner({ apiUrl, runnerToken, log });
	return await started(runner, { assignedAtMs, launchedAtMs: () => runner.launchedAtMs });
}

async function started(
	runner: Pick<Runner, "start" | "stop">,
	moments: Pick<StandingRunner, "assignedAtMs" | "launchedAtMs">,
): Promise<StandingRunner> {
	try {
		await runner.start();
		return { ...moments, stop: () => runner.stop() };
	} catch (error) {
		await runner.stop();
		throw error;
	}
}

/** A log that only remembers when the runner said that it was assigned a broadcast. */
function listeningLog(): { readonly log: Log; readonly assignedAtMs: () => number | undefined } {
	let assignedAtMs: number | undefined;
	return {
		log: (message) => {
			if (message.startsWith("assigned broadcast")) {
				assignedAtMs ??= performance.now();
			}
		},
		assignedAtMs: () => assignedAtMs,
	};
}
