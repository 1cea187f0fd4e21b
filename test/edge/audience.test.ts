import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { createApp } from "../../worker/api/app.ts";
import { COUNT_AGAIN_MS, COUNT_EVERY_MS } from "../../worker/audience/audience-pace.ts";
import { audienceEventSchema } from "../../worker/protocol/audience.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { call, create, env, JsonSocket, openSocket, problem, until } from "./api-client.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";

freezeClock();

const HOUR_MS = 3_600_000;

function aheadTime(ms: number): string {
	return new Date(Date.now() + ms).toISOString();
}

function audience(id: string): Promise<JsonSocket> {
	return openSocket(`/api/broadcasts/${id}/audience`, { token: undefined });
}

/** The shards that hold somebody or remember having done so, of the sixteen there are. */
async function shardsOf(id: string): Promise<{ stub: ReturnType<typeof env.AUDIENCE.getByName>; sockets: number }[]> {
	const found = [];
	for (let shard = 0; shard < 16; shard++) {
		const stub = env.AUDIENCE.getByName(`${id}/${shard}`);
		const [sockets, stored] = await runInDurableObject(stub, async (_object, state) => [
			state.getWebSockets().length,
			(await state.storage.list()).size,
		]);
		if (sockets !== undefined && (sockets > 0 || stored !== 0)) {
			found.push({ stub, sockets });
		}
	}
	return found;
}

async function viewersOf(id: string): Promise<number> {
	return (await (await call("GET", `/api/broadcasts/${id}/public`, { token: undefined })).json<{ viewers: number }>())
		.viewers;
}

async function ringAll(id: string): Promise<void> {
	for (const { stub } of await shardsOf(id)) {
		await runDurableObjectAlarm(stub);
	}
}

describe("the audience's sockets", () => {
	test("tell the state on joining and every change until the end, then close for good", async () => {
		const { id } = await create({ title: "Waiting", scheduledStartTime: aheadTime(HOUR_MS) });
		const socket = await audience(id);
		const first = await socket.take("state");
		expect(audienceEventSchema.parse(first)).toMatchObject({ status: "scheduled", title: "Waiting", viewers: 1 });
		const later = aheadTime(2 * HOUR_MS);
		await call("PATCH", `/api/broadcasts/${id}`, { body: { scheduledStartTime: later } });
		expect(await socket.take("state")).toMatchObject({ scheduledStartTime: later });
		await call("PATCH", `/api/broadcasts/${id}`, { body: { title: "Renamed" } });
		expect(await socket.take("state")).toMatchObject({ title: "Renamed" });
		await call("POST", `/api/broadcasts/${id}/start`);
		expect(await socket.take("state", ({ status }) => status === "live")).toHaveProperty("startedAt");
		await call("POST", `/api/broadcasts/${id}/end`);
		expect(await socket.take("state", ({ status }) => status === "ended")).toHaveProperty("endedAt");
		expect((await socket.closing()).code).toBe(CLOSE.ended.code);

		const late = await audience(id);
		expect(await late.take("state")).toMatchObject({ status: "ended" });
		expect((await late.closing()).code).toBe(CLOSE.ended.code);
	});

	test("are counted by alarm and told the total, also after shard and broadcast were put out of memory", async () => {
		const { id } = await create();
		const sockets = [await audience(id), await audience(id), await audience(id)];
		const told: unknown[] = [];
		for (const [index, socket] of sockets.entries()) {
			told[index] = (await socket.take("state")).viewers;
		}
		advanceClock(COUNT_EVERY_MS);
		for (const { stub } of await shardsOf(id)) {
			await evictDurableObject(stub);
		}
		await evictDurableObject(env.BROADCAST.getByName(id));
		await ringAll(id);
		expect(await viewersOf(id)).toBe(3);
		// The one whose shard counted first learns of the others with its next count.
		advanceClock(COUNT_AGAIN_MS);
		await ringAll(id);
		for (const [index, socket] of sockets.entries()) {
			await until("the total", () => ((socket.messages.at(-1)?.viewers ?? told[index]) === 3 ? true : undefined));
		}

		await evictDurableObject(env.BROADCAST.getByName(id));
		for (const { stub } of await shardsOf(id)) {
			await evictDurableObject(stub);
		}
		await call("POST", `/api/broadcasts/${id}/start`);
		for (const socket of sockets) {
			await socket.take("state", ({ status }) => status === "live");
		}
	});

	test("that close are not counted any more, and an empty shard keeps nothing and is not woken", async () => {
		const { id } = await create();
		const socket = await audience(id);
		await socket.take("state");
		expect(await viewersOf(id)).toBe(1);
		const [shard] = await shardsOf(id);
		socket.socket.close(1_000);
		await socket.closing();
		advanceClock(COUNT_EVERY_MS);
		await until("the shard to be empty", async () => {
			await ringAll(id);
			return (await viewersOf(id)) === 0 ? true : undefined;
		});
		expect(await shardsOf(id)).toEqual([]);
		expect(shard && (await runDurableObjectAlarm(shard.stub))).toBe(false);
	});

	test("answer pings without the object, and take nothing else", async () => {
		const { id } = await create();
		const socket = await audience(id);
		await socket.take("state");
		for (const { stub } of await shardsOf(id)) {
			await evictDurableObject(stub);
		}
		socket.send({ type: "ping" });
		await socket.take("pong");
		socket.send({ type: "set-layout", layout: "pip" });
		expect((await socket.closing()).code).toBe(CLOSE.forbidden.code);
	});

	test("are refused where there is no such broadcast, and nothing is stored for it", async () => {
		const id = "0000000000000000";
		expect((await (await audience(id)).closing()).code).toBe(CLOSE.ended.code);
		expect((await (await audience("nothing")).closing()).code).toBe(CLOSE.ended.code);
		const upgrade = { headers: { Upgrade: "websocket" } };
		await problem(await call("GET", `/api/broadcasts/${id}/audience`, upgrade), 404, "not-found");
		await problem(await call("GET", `/api/broadcasts/${id}/audience`), 426, "upgrade-required");
		expect(await shardsOf(id)).toEqual([]);
	});

	test("are sent to another shard when one is full, and away when all that are tried are", async () => {
		const { id } = await create();
		const asked: string[] = [];
		const appWith = (isFull: () => boolean) => {
			const getByName = (name: string) => {
				asked.push(name);
				const full = { fetch: async () => new Response("full", { status: 503 }) };
				return isFull() ? full : env.AUDIENCE.getByName(name);
			};
			return { ...env, AUDIENCE: { getByName } };
		};
		const join = (bindings: object, headers: Record<string, string> = {}) =>
			createApp().request(
				`/api/broadcasts/${id}/audience`,
				{ headers: { Upgrade: "websocket", ...headers } },
				bindings,
			);
		const moved = new JsonSocket(await join(appWith(() => asked.length === 1)));
		expect(await moved.take("state")).toMatchObject({ status: "lobby" });
		expect(new Set(asked).size).toBe(2);
		const full = appWith(() => true);
		expect((await new JsonSocket(await join(full)).closing()).code).toBe(CLOSE.stalled.code);
		await problem(await join(full, { Authorization: "Bearer x" }), 409, "too-many");
		expect(new Set(asked.slice(-3)).size).toBe(3);
	});

	test("of a broadcast that is deleted are closed", async () => {
		const { id } = await create();
		const socket = await audience(id);
		await socket.take("state");
		expect((await call("DELETE", `/api/broadcasts/${id}`)).status).toBe(204);
		expect((await socket.closing()).code).toBe(CLOSE.ended.code);
		expect((await call("GET", `/api/broadcasts/${id}/public`, { token: undefined })).status).toBe(404);
	});
});

describe("the public view", () => {
	test("shows what anyone may know and nothing else", async () => {
		const scheduledStartTime = aheadTime(HOUR_MS);
		const { id, tokens, ingest } = await create({
			title: "Open house",
			description: "All welcome",
			posterUrl: "https://example.com/poster.jpg",
			hostName: "Ada",
			guestName: "Secret guest",
			maxGuests: 2,
			scheduledStartTime,
			destinations: [{ url: "rtmp://127.0.0.1:9/app", streamKey: "markedkey", name: "Secret place" }],
		});
		const response = await call("GET", `/api/broadcasts/${id}/public`, { token: undefined });
		expect(response.headers.get("Cache-Control")).toBe("public, max-age=2");
		const text = await response.text();
		expect(JSON.parse(text)).toEqual({
			id,
			title: "Open house",
			description: "All welcome",
			posterUrl: "https://example.com/poster.jpg",
			hostName: "Ada",
			status: "scheduled",
			scheduledStartTime,
			viewers: 0,
			links: {
				watch: `http://tandem.example/watch/${id}`,
				calendar: `http://tandem.example/api/broadcasts/${id}/public.ics`,
			},
		});
		const calendar = await (await call("GET", `/api/broadcasts/${id}/public.ics`, { token: undefined })).text();
		const socket = await audience(id);
		const state = JSON.stringify(await socket.take("state"));
		const secrets = [
			"127.0.0.1",
			"markedkey",
			"ecret",
			ingest.host.rtmp.streamKey,
			tokens.host,
			tokens.viewer,
			"guest",
		];
		for (const shown of [text, calendar, state]) {
			for (const secret of secrets) {
				expect(shown).not.toContain(secret);
			}
		}
	});

	test("has an entity tag that changes with what it shows, viewers too", async () => {
		const { id } = await create();
		const get = (tag?: string) =>
			call("GET", `/api/broadcasts/${id}/public`, {
				token: undefined,
				headers: tag === undefined ? {} : { "If-None-Match": tag },
			});
		const tag = (await get()).headers.get("ETag") ?? "";
		expect((await get(tag)).status).toBe(304);
		expect((await get(`"x", W/${tag}`)).status).toBe(304);
		await (await audience(id)).take("state");
		const counted = await get(tag);
		expect(counted.status).toBe(200);
		await call("PATCH", `/api/broadcasts/${id}`, { body: { title: "Renamed" } });
		expect((await get(counted.headers.get("ETag") ?? "")).status).toBe(200);
	});

	test("is a calendar's entry, which follows the schedule", async () => {
		const { id } = await create({ scheduledStartTime: aheadTime(HOUR_MS) });
		const entry = async () => {
			const response = await call("GET", `/api/broadcasts/${id}/public.ics`, { token: undefined });
			expect(response.headers.get("Content-Type")).toBe("text/calendar; charset=utf-8");
			return response.text();
		};
		expect(await entry()).toContain("SEQUENCE:0\r\n");
		await call("PATCH", `/api/broadcasts/${id}`, { body: { scheduledStartTime: aheadTime(2 * HOUR_MS) } });
		expect(await entry()).toContain("SEQUENCE:1\r\n");
		await call("POST", `/api/broadcasts/${id}/cancel`);
		expect(await entry()).toMatch(/METHOD:CANCEL\r\n[\s\S]*SEQUENCE:2\r\nSTATUS:CANCELLED\r\n/);
		const open = await create();
		await problem(await call("GET", `/api/broadcasts/${open.id}/public.ics`, { token: undefined }), 409, "wrong-state");
	});
});

describe("reminders", () => {
	const remind = (id: string, body: unknown) =>
		call("POST", `/api/broadcasts/${id}/public/reminders`, { token: undefined, body });

	test("are asked for and taken back by anyone, and only counted by those who run it", async () => {
		const { id, tokens } = await create({ scheduledStartTime: aheadTime(HOUR_MS), reminderMinutesBefore: 20 });
		const first = await remind(id, { contact: " ada@example.com " });
		expect(first.status).toBe(202);
		const reminder = await first.json<{ id: string }>();
		expect(await (await remind(id, { contact: "ada@example.com" })).json()).toEqual(reminder);
		await remind(id, { contact: "grace@example.com" });
		const path = `/api/broadcasts/${id}/reminders`;
		const count = async () => (await call("GET", path, { token: tokens.host })).json();
		expect(await count()).toEqual({ count: 2, dueTime: aheadTime(40 * 60_000) });
		await evictDurableObject(env.BROADCAST.getByName(id));
		const remove = () => call("DELETE", `/api/broadcasts/${id}/public/reminders/${reminder.id}`, { token: undefined });
		expect((await remove()).status).toBe(204);
		expect((await remove()).status).toBe(204);
		expect(await count()).toMatchObject({ count: 1 });
		await problem(await call("GET", path, { token: undefined }), 401, "unauthorized");
		await problem(await call("GET", path, { token: tokens.guest }), 403, "forbidden");
		await problem(await call("GET", path, { token: tokens.viewer }), 403, "forbidden");
	});

	test("lie sealed in the object, and are gone with the broadcast", async () => {
		const { id } = await create({ scheduledStartTime: aheadTime(HOUR_MS) });
		await remind(id, { contact: "ada@example.com" });
		const rows = () =>
			runInDurableObject(env.BROADCAST.getByName(id), (_object, state) =>
				state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'reminders'").toArray().length === 0
					? []
					: state.storage.sql.exec("SELECT * FROM reminders").toArray(),
			);
		const stored = await rows();
		expect(stored.length).toBe(1);
		expect(JSON.stringify(stored)).not.toContain("ada");
		await call("DELETE", `/api/broadcasts/${id}`);
		expect(await rows()).toEqual([]);
	});

	test("are refused without a start, after the end, for nobody, and for what is no contact", async () => {
		const open = await create();
		await problem(await remind(open.id, { contact: "ada@example.com" }), 409, "wrong-state");
		const { id } = await create({ scheduledStartTime: aheadTime(HOUR_MS) });
		for (const body of [{}, { contact: "" }, { contact: " " }, { contact: "x".repeat(255) }, { contact: "x", y: 1 }]) {
			await problem(await remind(id, body), 400, "invalid-request");
		}
		await call("POST", `/api/broadcasts/${id}/cancel`);
		await problem(await remind(id, { contact: "ada@example.com" }), 409, "wrong-state");
		await problem(await remind("0000000000000000", { contact: "ada@example.com" }), 404, "not-found");
	});
});
