import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { expect, test } from "vitest";
import { MAX_EVENT_STREAMS } from "../../worker/broadcast/events/event-streams.ts";
import { BROADCAST_EVENTS, type BroadcastEvent, type LogPage } from "../../worker/protocol/broadcast-events.ts";
import { call, create, env, problem, until } from "./api-client.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";
import { replaceObject } from "./replace-object.ts";
import { SseReader } from "./sse-reader.ts";
import { receiveWebhooks } from "./webhook-receiver.ts";

freezeClock();
const receiver = receiveWebhooks();

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

const objectOf = (id: string) => env.BROADCAST.getByName(id) as unknown as DurableObjectStub;
const rename = (id: string, title: string) => call("PATCH", `/api/broadcasts/${id}`, { body: { title } });
const stream = (id: string, options: { headers?: Record<string, string>; token?: string; query?: string } = {}) =>
	call("GET", `/api/broadcasts/${id}/events${options.query ?? ""}`, options);
const logOf = async (id: string, query = "") =>
	(await call("GET", `/api/broadcasts/${id}/log${query}`)).json<LogPage>();

test("a stream replays what was, then goes on with what happens, each event as in the log", async () => {
	const { id } = await create({ destinations: [{ url: "rtmp://127.0.0.1:9/app", streamKey: "s3cret" }] });
	await rename(id, "Before");
	const response = await stream(id, { query: "?after=0" });
	expect(response.headers.get("Content-Type")).toBe("text/event-stream");
	const reader = new SseReader(response);
	await reader.take(4);
	expect(reader.types()).toEqual([
		"broadcast.created",
		"broadcast.lobby_opened",
		"destination.added",
		"broadcast.updated",
	]);
	await call("PUT", `/api/broadcasts/${id}/layout`, { body: { layout: "vertical" } });
	await reader.take(5);
	expect(reader.types().at(-1)).toBe("scene.changed");
	expect(reader.events.map(({ id: sequence }) => sequence)).toEqual(["1", "2", "3", "4", "5"]);
	expect(reader.events.map(({ data }) => data)).toEqual((await logOf(id)).events);
	for (const { data } of reader.events) {
		BROADCAST_EVENTS[data.type].parse(data.data);
	}
	expect(JSON.stringify(reader.events)).not.toContain("s3cret");
	await reader.cancel();
});

test("without saying since when, only what happens from now on comes", async () => {
	const { id } = await create();
	const reader = new SseReader(await stream(id));
	await rename(id, "Another");
	await reader.take(1);
	expect(reader.types()).toEqual(["broadcast.updated"]);
	await reader.cancel();
});

test("whoever comes back with Last-Event-ID after the object was lost misses nothing and gets nothing twice", async () => {
	const { id } = await create();
	const first = new SseReader(await stream(id, { query: "?after=0" }));
	await rename(id, "One");
	await first.take(3);
	await replaceObject(objectOf(id));
	await first.ending();
	await rename(id, "Two");
	await evictDurableObject(objectOf(id));
	const headers = { "Last-Event-ID": first.events.at(-1)?.id ?? "" };
	const second = new SseReader(await stream(id, { headers, query: "?after=0" }));
	await rename(id, "Three");
	await second.take(2);
	const sequences = [...first.events, ...second.events].map(({ data }) => data.sequence);
	expect(sequences).toEqual([1, 2, 3, 4, 5]);
	await second.cancel();
});

test("the token may stand in the address, and only host and admin may follow", async () => {
	const { id, tokens } = await create();
	const reader = new SseReader(
		await call("GET", `/api/broadcasts/${id}/events?token=${tokens.host}`, { token: undefined }),
	);
	await rename(id, "Another");
	await reader.take(1);
	await reader.cancel();
	await problem(await stream(id, { token: tokens.guest }), 403, "forbidden");
	await problem(await call("GET", `/api/broadcasts/${id}/log`, { token: tokens.viewer }), 403, "forbidden");
	await problem(await call("GET", `/api/broadcasts/${id}/events`, { token: undefined }), 401, "unauthorized");
	await problem(
		await call("GET", `/api/broadcasts/${id}/log?token=${tokens.host}`, { token: undefined }),
		401,
		"unauthorized",
	);
	await problem(await stream("0123456789abcdef"), 404, "not-found");
	await problem(await stream(id, { headers: { "Last-Event-ID": "x" } }), 400, "invalid-request");
});

test("a host whose credentials are made worthless is cut off, and the admin is not", async () => {
	const { id, tokens } = await create();
	const host = new SseReader(await stream(id, { token: tokens.host }));
	const admin = new SseReader(await stream(id));
	await env.BROADCAST.getByName(id).command(
		{ type: "renew-credentials", personId: "host", streamKeyHash: "another" },
		{ actor: "admin" },
	);
	expect(await host.ending()).toBe("closed");
	await admin.take(1);
	expect(admin.ended).toBeUndefined();
	await admin.cancel();
});

test("streams are refused beyond the limit, and end with the broadcast's last word when it is deleted", async () => {
	const { id } = await create();
	const readers: SseReader[] = [];
	for (let count = 0; count < MAX_EVENT_STREAMS; count++) {
		readers.push(new SseReader(await stream(id)));
	}
	await problem(await stream(id), 409, "too-many");
	await readers.pop()?.cancel();
	await until("the place to be free", async () => {
		const response = await stream(id);
		if (response.status !== 200) {
			return undefined;
		}
		readers.push(new SseReader(response));
		return true;
	});
	await call("DELETE", `/api/broadcasts/${id}`);
	for (const reader of readers) {
		expect(await reader.ending()).toBe("closed");
		expect(reader.types()).toEqual(["broadcast.deleted"]);
		expect(reader.events[0]?.data.broadcastId).toBe(id);
	}
	await problem(await stream(id), 404, "not-found");
});

test("the log is read in pages, by type, with actors and versions, over a restart", async () => {
	const { id, tokens } = await create();
	await call("PUT", `/api/broadcasts/${id}/layout`, { body: { layout: "vertical" }, token: tokens.host });
	await rename(id, "Another");
	await evictDurableObject(objectOf(id));
	const whole = await logOf(id);
	expect(whole.next).toBeUndefined();
	const view = await (await call("GET", `/api/broadcasts/${id}`)).json<{ version: number }>();
	expect(whole.events.at(-1)).toMatchObject({
		type: "broadcast.updated",
		actor: "admin",
		version: view.version,
		timestamp: new Date().toISOString(),
	});
	expect(whole.events.find(({ type }) => type === "scene.changed")).toMatchObject({
		actor: "host",
		data: { layout: "vertical", labels: true, order: [] },
	});
	const paged: BroadcastEvent[] = [];
	for (let after: number | undefined = 0; after !== undefined; ) {
		const page: LogPage = await logOf(id, `?after=${after}&limit=1`);
		expect(page.events).toHaveLength(1);
		paged.push(...page.events);
		after = page.next;
	}
	expect(paged).toEqual(whole.events);
	const some = await logOf(id, "?types=scene,broadcast.created");
	expect(some.events.map(({ type }) => type)).toEqual(["broadcast.created", "scene.changed"]);
	await problem(await call("GET", `/api/broadcasts/${id}/log?types=nothing`), 400, "invalid-request");
	await problem(await call("GET", `/api/broadcasts/${id}/log?limit=0`), 400, "invalid-request");
});

test("reminders reach webhooks with their contacts, and the log and the stream without", async () => {
	const startMs = Date.now() + HOUR_MS;
	const { id } = await create({ scheduledStartTime: new Date(startMs).toISOString(), reminderMinutesBefore: 15 });
	await call("POST", `/api/broadcasts/${id}/webhooks`, {
		body: { url: "https://mail.example.com/", events: ["reminder"] },
	});
	for (const contact of ["ada@example.com", "grace@example.com"]) {
		const added = await call("POST", `/api/broadcasts/${id}/public/reminders`, { body: { contact }, token: undefined });
		expect(added.status).toBeLessThan(300);
	}
	advanceClock(45 * MINUTE_MS);
	await runDurableObjectAlarm(objectOf(id));
	await until("the reminder", () => receiver().at("mail")[0]);
	const [sent, ...more] = receiver().at("mail");
	expect(more).toEqual([]);
	const scheduledStartTime = new Date(startMs).toISOString();
	expect(sent?.event).toMatchObject({
		type: "reminder.due",
		actor: "schedule",
		data: { scheduledStartTime, count: 2 },
	});
	const { contacts = [] } = BROADCAST_EVENTS["reminder.due"].parse(sent?.event.data);
	expect(contacts.map(({ contact }) => contact).toSorted()).toEqual(["ada@example.com", "grace@example.com"]);
	const logged = await logOf(id, "?types=reminder");
	expect(logged.events.map(({ data }) => data)).toEqual([{ scheduledStartTime, count: 2 }]);
});

test("a whole show is told in order", async () => {
	const startMs = Date.now() + HOUR_MS;
	const { id } = await create({
		scheduledStartTime: new Date(startMs).toISOString(),
		startMode: "auto",
		lobbySeconds: 600,
	});
	const broadcast = env.BROADCAST.getByName(id);
	advanceClock(50 * MINUTE_MS);
	await runDurableObjectAlarm(objectOf(id));
	// Not long before: the Router, which knows of no host, is asked after half a minute.
	advanceClock(10 * MINUTE_MS - 10_000);
	await broadcast.streamChanged({ stream: "host", state: "live" });
	advanceClock(10_000);
	await runDurableObjectAlarm(objectOf(id));
	await until("it to be live", async () => {
		const { status } = await (await call("GET", `/api/broadcasts/${id}`)).json<{ status: string }>();
		return status === "live" ? true : undefined;
	});
	await broadcast.streamChanged({ stream: "guest", state: "live" });
	await call("PUT", `/api/broadcasts/${id}/layout`, { body: { layout: "pip" } });
	await broadcast.streamChanged({ stream: "guest", state: "idle" });
	await call("POST", `/api/broadcasts/${id}/end`);
	const { events } = await logOf(id, "?types=broadcast,person,scene");
	expect(events.map(({ type, actor }) => `${actor} ${type}`)).toEqual([
		"admin broadcast.created",
		"admin broadcast.scheduled",
		"schedule broadcast.lobby_opened",
		"system person.joined",
		"schedule broadcast.live",
		"system person.joined",
		"admin scene.changed",
		"system person.left",
		"admin broadcast.ended",
		"admin person.left",
	]);
});
