import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { audioConfig, interFrame, keyFrame, sound, videoConfig } from "../unit/worker-media/wsflv-fixtures.ts";
import { type Created, call, create, env, openSocket, problem, until } from "./api-client.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";
import { MediaSocketPeer } from "./media-socket-peer.ts";
import { replaceObject } from "./replace-object.ts";
import { RunnerPeer } from "./runner-peer.ts";

freezeClock();

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** A publisher that sends nothing is kept for some seconds: here all of them send once. */
const SILENT_MS = 2_000;
const DAY_MS = 24 * HOUR_MS;
/** Defaults of the API, and what `schedule.ts` says. */
const LOBBY_MS = 10 * MINUTE_MS;
const WARM_BEFORE_MS = MINUTE_MS;
const WARM_AFTER_MS = 5 * MINUTE_MS;
/** Other broadcasts of this file may want one too. */
const PLACES = 8;
/** Nothing listens there. */
const CLOSED_PORT = { url: "rtmp://127.0.0.1:9/app", streamKey: "k" };

const broadcastOf = (id: string) => env.BROADCAST.getByName(id);
const after = (ms: number) => new Date(Date.now() + ms).toISOString();

interface Shown {
	status: string;
	version: number;
	scheduledStartTime?: string;
	startedAt?: string;
	endReason?: string;
}
const shown = async (id: string) => (await call("GET", `/api/broadcasts/${id}`)).json<Shown>();
const change = (id: string, body: unknown) => call("PATCH", `/api/broadcasts/${id}`, { body });

interface Stats {
	compositor: { lease: string; fence: number };
	program?: { source: string };
	sources: { stream: string; publisherConnected: boolean }[];
	destinations: { state: string }[];
}
const statsOf = async (id: string) => (await call("GET", `/api/broadcasts/${id}/stats`)).json<Stats>();

async function leaseIs(id: string, lease: string): Promise<void> {
	await until(`the lease ${lease}`, async () => ((await statsOf(id)).compositor.lease === lease ? true : undefined));
}

function alarmOf(id: string): Promise<number | null> {
	return runInDurableObject(broadcastOf(id) as unknown as DurableObjectStub, (_, { storage }) => storage.getAlarm());
}

/** The broadcast's alarm, rung when `ms` more have passed, with the object gone to sleep meanwhile. */
async function ringAfter(id: string, ms: number): Promise<void> {
	advanceClock(ms);
	await evictDurableObject(broadcastOf(id));
	await runDurableObjectAlarm(broadcastOf(id));
}

async function media(id: string, stream: string, direction: string, token?: string): Promise<MediaSocketPeer> {
	const response = await call("GET", `/api/broadcasts/${id}/media/${stream}?direction=${direction}`, {
		...(token === undefined ? {} : { token }),
		headers: { Upgrade: "websocket" },
	});
	if (response.webSocket === null) {
		throw new Error(`test: expected a WebSocket, got status ${response.status}`);
	}
	return new MediaSocketPeer(response.webSocket);
}

const MEDIA = [videoConfig(0), audioConfig(0), keyFrame(0), sound(10), interFrame(40)];

async function hostPublishes({ id, ingest }: Created): Promise<MediaSocketPeer> {
	const host = await media(id, "host", "publish", ingest.host.rtmp.streamKey);
	host.publish(MEDIA);
	await until("the host to be live", async () => {
		const { people } = await (await call("GET", `/api/broadcasts/${id}`)).json<{
			people: { id: string; live: boolean }[];
		}>();
		return people.some((person) => person.id === "host" && person.live) || undefined;
	});
	return host;
}

test("a start in any zone is taken, and shown in UTC", async () => {
	const inMay = new Date(Date.now() + 40 * DAY_MS).toISOString().slice(0, 10);
	for (const [written, utc] of [
		[`${inMay}T20:00:00+14:00`, `${inMay}T06:00:00.000Z`],
		[`${inMay}t20:00:00.5z`, `${inMay}T20:00:00.500Z`],
		[`${inMay}T01:30:00-05:30`, `${inMay}T07:00:00.000Z`],
	]) {
		const { id, status } = await create({ scheduledStartTime: written });
		expect(status).toBe("scheduled");
		expect((await shown(id)).scheduledStartTime).toBe(utc);
	}
});

test.each([
	["past", () => after(-1)],
	["now", () => after(0)],
	["more than a year ahead", () => after(366 * DAY_MS + 1)],
	["no time", () => "tomorrow"],
	["without a zone", () => after(HOUR_MS).slice(0, -1)],
	["the 30th of February", () => "2027-02-30T20:00:00Z"],
	["a number", () => Date.now() + HOUR_MS],
])("a start that is %s is refused, on creating and on changing", async (_, time) => {
	const body = { title: "A test", scheduledStartTime: time() };
	await problem(await call("POST", "/api/broadcasts", { body }), 400, "invalid-request");
	const { id } = await create({ scheduledStartTime: after(HOUR_MS) });
	const { version, scheduledStartTime } = await shown(id);
	const document = await problem(await change(id, { scheduledStartTime: time() }), 400, "invalid-request");
	expect(document.errors).toMatchObject([{ path: "scheduledStartTime" }]);
	expect(await shown(id)).toMatchObject({ status: "scheduled", version, scheduledStartTime });
});

test("a year ahead is taken", async () => {
	expect((await create({ scheduledStartTime: after(366 * DAY_MS) })).status).toBe("scheduled");
});

test("an object that sleeps is woken for its lobby, and not before", async () => {
	const { id } = await create({ scheduledStartTime: after(HOUR_MS) });
	await ringAfter(id, HOUR_MS - LOBBY_MS - 1);
	expect((await shown(id)).status).toBe("scheduled");
	expect(await alarmOf(id)).toBe(Date.now() + 1);
	await ringAfter(id, 1);
	expect((await shown(id)).status).toBe("lobby");
	const { version } = await shown(id);
	await ringAfter(id, 0);
	await broadcastOf(id).view();
	expect(await shown(id)).toMatchObject({ status: "lobby", version });
	const row = await env.INDEX.prepare("SELECT status FROM broadcasts WHERE id = ?").bind(id).first();
	expect(row).toEqual({ status: "lobby" });
});

test("a warm compositor is leased before the start, and given back when nobody begins", async () => {
	const { id } = await create({ scheduledStartTime: after(HOUR_MS) });
	await ringAfter(id, HOUR_MS - WARM_BEFORE_MS - 1);
	expect((await statsOf(id)).compositor).toEqual({ lease: "none", fence: 0 });
	const runner = await RunnerPeer.connect("runner-warm", PLACES);
	await ringAfter(id, 1);
	const { leaseId, token } = await runner.assigned(id);
	const compositor = await openSocket(`/api/broadcasts/${id}/control`, { token });
	await compositor.take("scene");
	runner.heartbeat(leaseId, 1);
	await leaseIs(id, "running");
	for (let minute = 0; minute < 5; minute++) {
		advanceClock(MINUTE_MS - 1);
		const strange = `strange-${minute}`;
		runner.socket.send({
			type: "heartbeat",
			leases: [leaseId, strange].map((each) => ({ leaseId: each, state: "running", programFrames: 2 + minute })),
		});
		// It has heard the heartbeat when it says what it thinks of the other.
		await runner.toldToRelease(strange);
		await ringAfter(id, 1);
	}
	expect((await statsOf(id)).compositor).toEqual({ lease: "running", fence: 1 });
	await ringAfter(id, WARM_BEFORE_MS + WARM_AFTER_MS - 5 * MINUTE_MS);
	await runner.toldToRelease(leaseId);
	expect((await statsOf(id)).compositor.lease).toBe("none");
	expect((await shown(id)).status).toBe("lobby");
	runner.close();
});

test("rescheduled while warm: scheduled again, the compositor is free, and the alarm set for the new lobby", async () => {
	const { id } = await create({ scheduledStartTime: after(HOUR_MS), reminderMinutesBefore: 5 });
	await ringAfter(id, HOUR_MS - WARM_BEFORE_MS);
	const runner = await RunnerPeer.connect("runner-reschedule", PLACES);
	const { leaseId } = await runner.assigned(id);
	const moved = await change(id, { scheduledStartTime: after(2 * HOUR_MS) });
	expect(await moved.json()).toMatchObject({ status: "scheduled", scheduledStartTime: after(2 * HOUR_MS) });
	await runner.toldToRelease(leaseId);
	expect(await alarmOf(id)).toBe(Date.now() + 2 * HOUR_MS - LOBBY_MS);
	const unscheduled = await change(id, { scheduledStartTime: null });
	const view = await unscheduled.json<Shown>();
	expect(view.status).toBe("lobby");
	expect(view).not.toHaveProperty("scheduledStartTime");
	runner.close();
});

test("auto: a host who is there goes live at the exact moment, one who is late as they come", async () => {
	const early = await create({ scheduledStartTime: after(HOUR_MS), startMode: "auto" });
	await ringAfter(early.id, HOUR_MS - SILENT_MS);
	await hostPublishes(early);
	await ringAfter(early.id, SILENT_MS - 1);
	expect((await shown(early.id)).status).toBe("lobby");
	await ringAfter(early.id, 1);
	expect(await shown(early.id)).toMatchObject({ status: "live", startedAt: after(0) });

	const late = await create({ scheduledStartTime: after(HOUR_MS), startMode: "auto" });
	await ringAfter(late.id, HOUR_MS + 7_000);
	expect((await shown(late.id)).status).toBe("lobby");
	await hostPublishes(late);
	await until("it to be live", async () => ((await shown(late.id)).status === "live" ? true : undefined));
	for (const { id } of [early, late]) {
		await call("POST", `/api/broadcasts/${id}/end`);
	}
});

test("an alarm that comes long after everything was due opens the lobby, and then goes live", async () => {
	const created = await create({ scheduledStartTime: after(SILENT_MS - 2), lobbySeconds: 1, startMode: "auto" });
	const { id } = created;
	await hostPublishes(created);
	const host = await openSocket(`/api/broadcasts/${id}/control`, { token: created.tokens.host });
	await host.take("status");
	await ringAfter(id, SILENT_MS);
	await host.take("status", ({ status }) => status === "lobby");
	await host.take("status", ({ status }) => status === "live");
	expect(await shown(id)).toMatchObject({ status: "live", startedAt: after(0) });
	await call("POST", `/api/broadcasts/${id}/end`);
});

test("a host who never comes ends it, and all who waited are told", async () => {
	const { id, tokens } = await create({ scheduledStartTime: after(HOUR_MS), noShowSeconds: 600 });
	const guest = await openSocket(`/api/broadcasts/${id}/control`, { token: tokens.guest });
	await ringAfter(id, HOUR_MS + 600_000 - 1);
	expect((await shown(id)).status).toBe("lobby");
	await ringAfter(id, 1);
	expect(await shown(id)).toMatchObject({ status: "ended", endReason: "the host never came" });
	expect((await guest.closing()).code).toBe(CLOSE.ended.code);
	expect(await alarmOf(id)).toBeNull();
});

test("cancelled while warm and with its host there: every socket closed, the compositor free, no alarm left", async () => {
	const created = await create({ scheduledStartTime: after(HOUR_MS), startMode: "auto" });
	const { id, tokens } = created;
	await ringAfter(id, HOUR_MS - WARM_BEFORE_MS);
	const host = await hostPublishes(created);
	const preview = await media(id, "host", "subscribe", tokens.host);
	const runner = await RunnerPeer.connect("runner-cancel", PLACES);
	const { leaseId } = await runner.assigned(id);
	const cancelled = await call("POST", `/api/broadcasts/${id}/cancel`, { token: tokens.host });
	expect(await cancelled.json()).toMatchObject({ status: "cancelled", endReason: "cancelled by the host" });
	await runner.toldToRelease(leaseId);
	expect(await host.closed).toMatchObject({ code: CLOSE.ended.code });
	expect((await preview.closed).code).toBe(CLOSE.ended.code);
	expect(await alarmOf(id)).toBeNull();
	await ringAfter(id, 2 * MINUTE_MS);
	expect((await shown(id)).status).toBe("cancelled");
	runner.close();
});

test("replaced in the middle of going live: what was stored counts, and the rest is done by the one that takes its place", async () => {
	const created = await create({ scheduledStartTime: after(HOUR_MS), startMode: "auto", destinations: [CLOSED_PORT] });
	const { id } = created;
	await ringAfter(id, HOUR_MS - SILENT_MS);
	await hostPublishes(created);
	await ringAfter(id, SILENT_MS - 1);
	advanceClock(1);
	const startedAt = after(0);
	const stub = broadcastOf(id) as unknown as DurableObjectStub;
	// Stored that it is live, and nothing of what it did about it.
	await runInDurableObject(stub, (_, { storage }) => {
		const put = storage.put.bind(storage) as (key: string, value: unknown) => Promise<void>;
		let isLost = false;
		const putUntilLive = async (key: string, value: { status?: string }) => {
			const write = isLost ? new Promise<void>(() => {}) : put(key, value);
			isLost ||= value.status === "live";
			await write;
		};
		Object.assign(storage, { put: putUntilLive });
	});
	const ringing = runDurableObjectAlarm(stub).catch(() => {
		// It dies with the object.
	});
	await until("that it is live", async () => ((await shown(id)).status === "live" ? true : undefined));
	const stored = await runInDurableObject(stub, (_, { storage }) => storage.get("broadcast"));
	expect(stored).toMatchObject({ status: "live", destinations: [{ egress: "idle" }] });
	await replaceObject(stub);
	await ringing;
	expect(await shown(id)).toMatchObject({ status: "live", startedAt });
	await ringAfter(id, 15_000);
	await until("the program", async () => ((await statsOf(id)).destinations[0]?.state === "idle" ? undefined : true));
	expect(await shown(id)).toMatchObject({ status: "live", startedAt });
	await call("POST", `/api/broadcasts/${id}/end`);
});

test.each([
	["scheduled", HOUR_MS],
	["lobby", LOBBY_MS],
])(
	"%s: host and admin see the host's media, viewers and destinations nothing, though a compositor is warm",
	async (status, ms) => {
		const created = await create({
			scheduledStartTime: after(HOUR_MS),
			lobbySeconds: ms === HOUR_MS ? 30 : 600,
			destinations: [CLOSED_PORT],
		});
		const { id, tokens } = created;
		const runner = await RunnerPeer.connect(`runner-preview-${status}`, PLACES);
		await ringAfter(id, HOUR_MS - WARM_BEFORE_MS);
		expect((await shown(id)).status).toBe(status);
		const { token, leaseId } = await runner.assigned(id);
		runner.heartbeat(leaseId, 1);
		const viewer = await media(id, "program/main", "subscribe", tokens.viewer);
		await hostPublishes(created);
		const composite = await media(id, "composite/main", "publish", token);
		composite.publish([videoConfig(0), audioConfig(0), keyFrame(0, 99), interFrame(40, 99), keyFrame(80, 99)]);
		await until(
			"the composite at the Router",
			async () =>
				(await statsOf(id)).sources.some(
					({ stream, publisherConnected }) => stream === "composite/main" && publisherConnected,
				) || undefined,
		);
		for (const who of [tokens.host, undefined]) {
			const preview = await media(id, "host", "subscribe", who);
			expect((await preview.waitForTags(MEDIA.length)).slice(0, MEDIA.length)).toEqual(MEDIA);
		}
		for (const stream of ["host", "guest", "composite/main"]) {
			const refused = await call("GET", `/api/broadcasts/${id}/media/${stream}?direction=subscribe`, {
				token: tokens.viewer,
				headers: { Upgrade: "websocket" },
			});
			await problem(refused, 403, "forbidden");
		}
		const stats = await statsOf(id);
		expect(stats.program).toMatchObject({ source: "none" });
		expect(stats.destinations).toMatchObject([{ state: "idle" }]);
		expect(stats.destinations[0]).not.toMatchObject({ egress: { state: "live" } });
		expect(viewer.tags).toEqual([]);

		// The very same viewer sees it from the start on: it was the lobby that kept it from them.
		await call("POST", `/api/broadcasts/${id}/start`);
		composite.send([keyFrame(120, 99), keyFrame(160, 99)]);
		const host = await media(id, "host", "publish", created.ingest.host.rtmp.streamKey);
		host.publish([videoConfig(0), audioConfig(0), keyFrame(0), interFrame(40)]);
		expect((await viewer.waitForTags(3)).length).toBeGreaterThanOrEqual(3);
		await call("POST", `/api/broadcasts/${id}/end`);
		runner.close();
	},
);

test("a warm compositor is asked for a key frame as the show begins, and nothing of before the start is seen", async () => {
	const created = await create({ scheduledStartTime: after(HOUR_MS), startMode: "auto" });
	const { id, tokens, ingest } = created;
	await ringAfter(id, HOUR_MS - SILENT_MS);
	const runner = await RunnerPeer.connect("runner-key-frame", PLACES);
	const { token } = await runner.assigned(id);
	const viewer = await media(id, "program/main", "subscribe", tokens.viewer);
	await hostPublishes(created);
	const guest = await media(id, "guest", "publish", ingest.guest.rtmp.streamKey);
	guest.publish(MEDIA);
	const composite = await media(id, "composite/main", "publish", token);
	const asked: unknown[] = [];
	composite.socket.addEventListener("message", ({ data }) => void asked.push(data));
	composite.publish([videoConfig(0), audioConfig(0), keyFrame(0, 99), interFrame(40, 99)]);
	await until("all of them", async () => {
		const { sources } = await statsOf(id);
		return sources.filter(({ publisherConnected }) => publisherConnected).length === 3 || undefined;
	});
	expect(asked).toEqual([]);
	await ringAfter(id, SILENT_MS);
	await until("to be asked", () => (asked.length > 0 ? true : undefined));
	expect(asked).toEqual([JSON.stringify({ type: "key-frame" })]);
	expect(viewer.tags).toEqual([]);
	composite.send([interFrame(80, 99), keyFrame(120, 98)]);
	const [, , first] = await viewer.waitForTags(3);
	expect(first?.body).toEqual(keyFrame(120, 98).body);
	await call("POST", `/api/broadcasts/${id}/end`);
	runner.close();
});

test("a Router that is replaced before the start takes the host again, and is not on air", async () => {
	const created = await create({ scheduledStartTime: after(HOUR_MS) });
	const { id, tokens } = created;
	await hostPublishes(created);
	await replaceObject(env.ROUTER.getByName(id) as unknown as DurableObjectStub);
	const viewer = await media(id, "program/main", "subscribe", tokens.viewer);
	const host = await media(id, "host", "publish", created.ingest.host.rtmp.streamKey);
	host.publish(MEDIA);
	const preview = await media(id, "host", "subscribe");
	await preview.waitForTags(MEDIA.length);
	expect((await statsOf(id)).program).toMatchObject({ source: "none" });
	expect(viewer.tags).toEqual([]);
});
