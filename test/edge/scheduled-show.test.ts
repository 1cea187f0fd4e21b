import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { call, create, env, type JsonSocket, openSocket, until } from "./api-client.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";
import { MediaSocketPeer } from "./media-socket-peer.ts";
import { PacedPublisher } from "./paced-publisher.ts";
import { RunnerPeer } from "./runner-peer.ts";

freezeClock();

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** As many as there are where nothing else is set. */
const AUDIENCE_SHARDS = 16;
/** What is left to the start when the host's encoder is switched on. */
const HOST_BEFORE_MS = 5_000;
/** Steps in which the clock goes while media flows, and how often: about as fast as the real one. */
const TICK_MS = 20;
/** In the first byte behind the length of a picture's NAL unit: `keyFrame` and `interFrame` of the fixtures put it there. */
const MARK_AT = 10;

const broadcastOf = (id: string) => env.BROADCAST.getByName(id);

/** Lets the clock go by hand, so that it can have been moved by an hour before. */
let ticking: ReturnType<typeof setInterval> | undefined;
const publishers: PacedPublisher[] = [];
afterEach(() => {
	clearInterval(ticking ?? null);
	for (const publisher of publishers.splice(0)) {
		publisher.stop();
	}
});

/** What sleeps wakes up by its alarm: the broadcast, and the shards of its audience, which count again. */
async function ringAfter(id: string, ms: number): Promise<void> {
	advanceClock(ms);
	await evictDurableObject(broadcastOf(id));
	await runDurableObjectAlarm(broadcastOf(id));
	for (let shard = 0; shard < AUDIENCE_SHARDS; shard++) {
		await runDurableObjectAlarm(env.AUDIENCE.getByName(`${id}/${shard}`));
	}
}

async function media(id: string, path: string, token: string): Promise<MediaSocketPeer> {
	const response = await call("GET", `/api/broadcasts/${id}/media/${path}`, {
		token,
		headers: { Upgrade: "websocket" },
	});
	if (response.webSocket === null) {
		throw new Error(`test: expected a WebSocket, got status ${response.status}`);
	}
	return new MediaSocketPeer(response.webSocket);
}

async function publish(id: string, stream: string, token: string): Promise<PacedPublisher> {
	const isComposite = stream === "composite/main";
	const publisher = new PacedPublisher(await media(id, `${stream}?direction=publish`, token), { isComposite });
	publishers.push(publisher);
	return publisher;
}

interface Stats {
	program?: { source: string };
	compositor: { lease: string };
	destinations: { state: string }[];
}
const statsOf = async (id: string) => (await call("GET", `/api/broadcasts/${id}/stats`)).json<Stats>();

async function sourceIs(id: string, source: string): Promise<void> {
	await until(`the program of ${source}`, async () =>
		(await statsOf(id)).program?.source === source ? true : undefined,
	);
}

/** Whose pictures came, one after the other. */
function marks(peer: MediaSocketPeer): number[] {
	const pictures = peer.tags.filter(({ type, body }) => type === 9 && body[1] === 1);
	return pictures.map(({ body }) => body[MARK_AT] ?? 0).filter((mark, index, all) => mark !== all[index - 1]);
}

const MILESTONES = /^(broadcast\.|reminder\.|scene\.|compositor\.assigned)/;

/** What its log has, by whom, in order; of the compositors the first. */
async function milestones(id: string): Promise<string[]> {
	const response = await call("GET", `/api/broadcasts/${id}/log?limit=200`);
	const { events } = await response.json<{ events: { sequence: number; type: string; actor: string }[] }>();
	expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
	const told = events.filter(({ type }) => MILESTONES.test(type)).map(({ actor, type }) => `${actor} ${type}`);
	return [...new Set(told)];
}

/** The statuses a socket was told of, each once. */
function statuses(socket: JsonSocket): unknown[] {
	return socket.messages
		.filter(({ type }) => type === "status" || type === "state")
		.map(({ status }) => status)
		.filter((status, index, all) => status !== all[index - 1]);
}

test("a show from its announcement to its end: the audience waits, the lobby opens, it starts by itself, a guest, a layout, the end", async () => {
	const startMs = Date.now() + HOUR_MS;
	const scheduledStartTime = new Date(startMs).toISOString();
	const { id, tokens, status } = await create({ scheduledStartTime, startMode: "auto", layout: "pip" });
	expect(status).toBe("scheduled");
	const audience = await openSocket(`/api/broadcasts/${id}/audience`, { token: undefined });
	await until("the audience to hear", () => (audience.messages.length > 0 ? true : undefined));
	const counted = await call("GET", `/api/broadcasts/${id}/public`, { token: undefined });
	expect(await counted.json()).toMatchObject({ status: "scheduled", scheduledStartTime, viewers: 1 });
	const studio = await openSocket(`/api/broadcasts/${id}/control`, { token: tokens.host });
	const watching = await media(id, "program/main?direction=subscribe", tokens.viewer);

	await call("POST", `/api/broadcasts/${id}/public/reminders`, {
		token: undefined,
		body: { contact: "ada@example.com" },
	});
	await ringAfter(id, HOUR_MS - 15 * MINUTE_MS);
	await ringAfter(id, 5 * MINUTE_MS);
	await until("the lobby", () => (statuses(audience).at(-1) === "lobby" ? true : undefined));
	// A minute before the start is when it is warmed; here the alarm is late, since a clock that jumps would take its compositor for dead.
	await ringAfter(id, 10 * MINUTE_MS - HOST_BEFORE_MS);
	const runner = await RunnerPeer.connect("runner-show", 4);
	const warm = await runner.assigned(id);
	const warmScene = await openSocket(`/api/broadcasts/${id}/control`, { token: warm.token });
	expect(await warmScene.take("scene")).toMatchObject({ scene: { layout: "solo" } });
	ticking = setInterval(() => advanceClock(TICK_MS), TICK_MS);
	runner.heartbeat(warm.leaseId, 1);
	const preview = await media(id, "host?direction=subscribe", tokens.host);
	const host = await publish(id, "host", tokens.host);
	expect(await warmScene.take("scene", ({ scene }) => JSON.stringify(scene).includes('"expected":true'))).toBeDefined();
	const warmComposite = await publish(id, "composite/main", warm.token);
	await preview.waitForTags(10);
	expect((await statsOf(id)).program).toMatchObject({ source: "none" });
	expect(watching.tags).toEqual([]);

	await until("the time of the start", () => (Date.now() >= startMs ? true : undefined));
	await runDurableObjectAlarm(broadcastOf(id));
	await sourceIs(id, "host");
	const begun = await (await call("GET", `/api/broadcasts/${id}`)).json<{ status: string; startedAt: string }>();
	expect(begun.status).toBe("live");
	expect(Date.parse(begun.startedAt)).toBeGreaterThanOrEqual(startMs);
	await runner.toldToRelease(warm.leaseId);
	warmComposite.stop();
	runner.released(warm.leaseId, "test: told to");

	await publish(id, "guest", tokens.guest);
	const lease = await runner.assigned(id);
	expect(lease.fence).toBe(2);
	runner.heartbeat(lease.leaseId, 1);
	const compositor = await openSocket(`/api/broadcasts/${id}/control`, { token: lease.token });
	expect(await compositor.take("scene")).toMatchObject({ scene: { layout: "pip" } });
	const composite = await publish(id, "composite/main", lease.token);
	composite.shows = () => host.lastMs;
	await sourceIs(id, "composite");
	await call("PUT", `/api/broadcasts/${id}/layout`, { token: tokens.host, body: { layout: "vertical" } });
	expect(await compositor.take("scene")).toMatchObject({ scene: { layout: "vertical" } });
	await until("the composite to be seen", () =>
		marks(watching).at(-1) === PacedPublisher.COMPOSITE_MARK ? true : undefined,
	);
	// Before the host's first key frame on air the warm compositor may stand in.
	expect(marks(watching).slice(-2)).toEqual([1, PacedPublisher.COMPOSITE_MARK]);

	for (const publisher of publishers) {
		publisher.stop();
	}
	const ended = await call("POST", `/api/broadcasts/${id}/end`, { token: tokens.host });
	expect(await ended.json()).toMatchObject({ status: "ended", endReason: "ended by the host" });
	await runner.toldToRelease(lease.leaseId);
	for (const socket of [studio, audience, compositor]) {
		expect((await socket.closing()).code).toBe(CLOSE.ended.code);
	}
	expect((await watching.closed).code).toBe(CLOSE.ended.code);
	expect((await host.peer.closed).code).toBe(CLOSE.ended.code);
	expect(statuses(studio)).toEqual(["scheduled", "lobby", "live", "ended"]);
	expect(statuses(audience)).toEqual(["scheduled", "lobby", "live", "ended"]);
	runner.close();
	expect(await milestones(id)).toEqual([
		"admin broadcast.created",
		"admin broadcast.scheduled",
		"schedule reminder.due",
		"schedule broadcast.lobby_opened",
		"system compositor.assigned",
		"schedule broadcast.live",
		"host scene.changed",
		"host broadcast.ended",
	]);
});
