import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { seal } from "../../worker/auth/sealing.ts";
import { webhookUse } from "../../worker/broadcast/events/webhook-message.ts";
import { WEBHOOK_RETRY } from "../../worker/broadcast/events/webhook-schedule.ts";
import { newWebhookSecret } from "../../worker/broadcast/events/webhook-signature.ts";
import { BROADCAST_EVENTS } from "../../worker/protocol/broadcast-events.ts";
import { call, create, env, problem, until } from "./api-client.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";
import { replaceObject } from "./replace-object.ts";
import { receiveWebhooks } from "./webhook-receiver.ts";

freezeClock();
const receiver = receiveWebhooks();

const DAY_MS = 24 * 3_600_000;

interface Webhook {
	readonly id: string;
	readonly url: string;
	readonly secret: string;
	readonly cursor: number;
	readonly pending: number;
	readonly deadLetters: number;
	readonly failures: number;
	readonly lastError?: string;
	readonly nextAttemptAt?: string;
}

const stubOf = (id: string) => env.BROADCAST.getByName(id);
const objectOf = (id: string) => stubOf(id) as unknown as DurableObjectStub;

async function addWebhook(id: string, name: string, events: string[] = []): Promise<Webhook> {
	const body = { url: `https://${name}.example.com/hook?key=s3cret`, events };
	const response = await call("POST", `/api/broadcasts/${id}/webhooks`, { body });
	expect(response.status).toBe(201);
	return response.json<Webhook>();
}

async function webhooksOf(id: string): Promise<Webhook[]> {
	return (await (await call("GET", `/api/broadcasts/${id}/webhooks`)).json<{ webhooks: Webhook[] }>()).webhooks;
}

async function webhookOf(id: string, webhookId: string): Promise<Webhook> {
	const found = (await webhooksOf(id)).find((each) => each.id === webhookId);
	expect(found).toBeDefined();
	return found as Webhook;
}

const rename = (id: string, title: string) => call("PATCH", `/api/broadcasts/${id}`, { body: { title } });
const received = (name: string, count: number) =>
	until(`${count} events at ${name}`, () => (receiver().at(name).length >= count ? true : undefined));
const settled = (id: string, webhookId: string) =>
	until("nothing to be on its way", async () => ((await webhookOf(id, webhookId)).pending === 0 ? true : undefined));
const sequences = (name: string) =>
	receiver()
		.at(name)
		.map(({ event }) => event.sequence);

async function expectSigned(name: string, secret: string): Promise<void> {
	const key = await crypto.subtle.importKey(
		"raw",
		Uint8Array.from(atob(secret.slice("whsec_".length)), (character) => character.charCodeAt(0)),
		{ name: "HMAC", hash: "SHA-256" },
		false,
		["verify"],
	);
	for (const { headers, body, id } of receiver().at(name)) {
		const [version, signature = ""] = (headers.get("webhook-signature") ?? "").split(",");
		const signed = new TextEncoder().encode(`${id}.${headers.get("webhook-timestamp")}.${body}`);
		const bytes = Uint8Array.from(atob(signature), (character) => character.charCodeAt(0));
		expect(version).toBe("v1");
		expect(await crypto.subtle.verify("HMAC", key, bytes, signed)).toBe(true);
	}
}

test("a webhook gets what happens from its adding on, in order, signed, and as the table of events has it", async () => {
	const { id } = await create();
	const { id: webhookId, secret } = await addWebhook(id, "good");
	await rename(id, "Another");
	await call("POST", `/api/broadcasts/${id}/start`);
	await received("good", 3);
	await settled(id, webhookId);
	const got = receiver().at("good");
	expect(receiver().typesAt("good").slice(0, 3)).toEqual(["webhook.added", "broadcast.updated", "broadcast.live"]);
	expect(sequences("good")).toEqual(got.map((_, index) => (got[0]?.event.sequence ?? 0) + index));
	for (const { id: deliveryId, event } of got) {
		expect(deliveryId).toBe(`${id}.${event.sequence}`);
		expect(event).toMatchObject({ broadcastId: id, version: expect.any(Number), actor: expect.any(String) });
		BROADCAST_EVENTS[event.type].parse(event.data);
	}
	expect(got[0]?.event).toMatchObject({
		actor: "admin",
		requestId: expect.any(String),
		data: { webhookId, origin: "https://good.example.com" },
	});
	await expectSigned("good", secret);
	expect(JSON.stringify(got.map(({ body }) => body))).not.toContain("s3cret");
	await call("POST", `/api/broadcasts/${id}/end`);
});

test("a receiver that fails gets the same event again, later and later, and holds up no other", async () => {
	const { id } = await create();
	let isDown = true;
	receiver().answers.bad = () => (isDown ? 503 : 204);
	const { id: webhookId } = await addWebhook(id, "bad");
	await addWebhook(id, "good");
	await rename(id, "Another");
	await received("good", 2);
	expect(receiver().typesAt("good")).toEqual(["webhook.added", "broadcast.updated"]);
	const waiting = await until("the failure", async () => {
		const webhook = await webhookOf(id, webhookId);
		return webhook.failures === 1 ? webhook : undefined;
	});
	expect(waiting).toMatchObject({ pending: 3, lastError: "webhook: expected status 2xx, got 503" });
	expect(Date.parse(waiting.nextAttemptAt ?? "")).toBeGreaterThan(Date.now());
	expect(receiver().at("bad")).toHaveLength(1);

	advanceClock(WEBHOOK_RETRY.firstMs);
	await runDurableObjectAlarm(objectOf(id));
	await received("bad", 2);
	await until("another failure", async () => ((await webhookOf(id, webhookId)).failures === 2 ? true : undefined));
	isDown = false;
	advanceClock(2 * WEBHOOK_RETRY.firstMs);
	await runDurableObjectAlarm(objectOf(id));
	await settled(id, webhookId);
	const [first, second, third, ...rest] = receiver().at("bad");
	expect([second?.id, third?.id]).toEqual([first?.id, first?.id]);
	expect([third, ...rest].map((each) => each?.event.type)).toEqual([
		"webhook.added",
		"webhook.added",
		"broadcast.updated",
	]);
	expect(await webhookOf(id, webhookId)).toMatchObject({ failures: 0, pending: 0 });
});

test("a receiver that does not answer holds up neither commands nor the others", async () => {
	const { id } = await create();
	receiver().answers.slow = () => "never";
	const { id: slowId } = await addWebhook(id, "slow");
	await addWebhook(id, "good");
	await received("slow", 1);
	expect((await rename(id, "Another")).status).toBe(200);
	await received("good", 2);
	expect(receiver().at("slow")).toHaveLength(1);
	expect((await call("DELETE", `/api/broadcasts/${id}/webhooks/${slowId}`)).status).toBe(204);
	await received("good", 3);
	expect(receiver().typesAt("good").at(-1)).toBe("webhook.removed");
});

test("of two that are due at once, one that does not answer holds up neither", async () => {
	const { id } = await create();
	let isSlow = false;
	receiver().answers.slow = () => (isSlow ? "never" : 200);
	// Served in the order of their ids.
	for (const [webhookId, name] of [
		["a", "slow"],
		["b", "good"],
	]) {
		const sealedSecret = await seal(newWebhookSecret(), env, webhookUse(id));
		const url = `https://${name}.example.com/`;
		const command = { type: "add-webhook", webhookId: webhookId ?? "", url, sealedSecret, events: [] } as const;
		expect(await stubOf(id).command(command, { actor: "admin" })).toMatchObject({ ok: true });
		await settled(id, webhookId ?? "");
	}
	await settled(id, "a");
	isSlow = true;
	const before = receiver().at("good").length;
	await rename(id, "Another");
	await received("good", before + 1);
	expect(await webhookOf(id, "a")).toMatchObject({ pending: 1 });
});

test("a receiver that says 410 is taken off, and the others are told", async () => {
	const { id } = await create();
	receiver().answers.gone = () => 410;
	await addWebhook(id, "good");
	const { id: goneId } = await addWebhook(id, "gone");
	await until("the webhook to go", async () => ((await webhooksOf(id)).length === 1 ? true : undefined));
	await received("good", 3);
	expect(receiver().at("good").at(-1)?.event).toMatchObject({
		type: "webhook.removed",
		actor: "system",
		data: { webhookId: goneId },
	});
	await rename(id, "Another");
	await received("good", 4);
	expect(receiver().at("gone")).toHaveLength(1);
});

test("an object that is lost in the middle of a delivery loses nothing and keeps the order", async () => {
	const { id } = await create();
	let answer: 200 | "never" = "never";
	receiver().answers.slow = () => answer;
	const { id: webhookId } = await addWebhook(id, "slow");
	await received("slow", 1);
	for (const title of ["One", "Two", "Three"]) {
		await rename(id, title);
	}
	await replaceObject(objectOf(id));
	answer = 200;
	// The alarm was set for a delivery that is cut short.
	advanceClock(60_000);
	await runDurableObjectAlarm(objectOf(id));
	await settled(id, webhookId);
	const [cut, ...got] = sequences("slow");
	expect(got[0]).toBe(cut);
	expect(got).toEqual(got.map((_, index) => (cut ?? 0) + index));
	expect(receiver().typesAt("slow").slice(1)).toEqual([
		"webhook.added",
		"broadcast.updated",
		"broadcast.updated",
		"broadcast.updated",
	]);
});

test("what was put out of memory while waiting goes on where it was", async () => {
	const { id } = await create();
	let isDown = true;
	receiver().answers.bad = () => (isDown ? 500 : 200);
	const { id: webhookId } = await addWebhook(id, "bad");
	await until("the failure", async () => ((await webhookOf(id, webhookId)).failures === 1 ? true : undefined));
	await evictDurableObject(objectOf(id));
	expect(await webhookOf(id, webhookId)).toMatchObject({ failures: 1, pending: 1 });
	isDown = false;
	advanceClock(WEBHOOK_RETRY.firstMs);
	await runDurableObjectAlarm(objectOf(id));
	await settled(id, webhookId);
	expect(receiver().typesAt("bad")).toEqual(["webhook.added", "webhook.added"]);
});

test("after 24 h an event is a dead letter, the next ones go on, and replay brings it back", async () => {
	const { id } = await create({ scheduledStartTime: new Date(Date.now() + 10 * DAY_MS).toISOString() });
	let isDown = true;
	receiver().answers.bad = () => (isDown ? 500 : 200);
	const { id: webhookId } = await addWebhook(id, "bad");
	await until("the failure", async () => ((await webhookOf(id, webhookId)).failures === 1 ? true : undefined));
	advanceClock(DAY_MS - 1_000);
	await rename(id, "Just in time");
	await until("a second failure", async () => ((await webhookOf(id, webhookId)).failures === 2 ? true : undefined));
	advanceClock(1_000);
	await runDurableObjectAlarm(objectOf(id));
	await until("the dead letter", async () => ((await webhookOf(id, webhookId)).deadLetters === 1 ? true : undefined));
	isDown = false;
	advanceClock(2 * WEBHOOK_RETRY.firstMs);
	await runDurableObjectAlarm(objectOf(id));
	await settled(id, webhookId);
	expect(receiver().typesAt("bad").at(-1)).toBe("broadcast.updated");

	const path = `/api/broadcasts/${id}/webhooks/${webhookId}`;
	const { deadLetters } = await (await call("GET", `${path}/dead-letters`)).json<{
		deadLetters: { sequence: number }[];
	}>();
	expect(deadLetters).toEqual([
		{
			sequence: receiver().at("bad")[0]?.event.sequence,
			type: "webhook.added",
			timestamp: expect.any(String),
			gaveUpAt: expect.any(String),
			error: "webhook: expected status 2xx, got 500",
		},
	]);
	const { cursor } = await webhookOf(id, webhookId);
	const response = await call("POST", `${path}/replay`, { body: { fromSequence: deadLetters[0]?.sequence } });
	expect(response.status).toBe(202);
	expect(await response.json()).toEqual({ queued: 2 });
	await settled(id, webhookId);
	expect(receiver().typesAt("bad").slice(-2)).toEqual(["webhook.added", "broadcast.updated"]);
	expect(await webhookOf(id, webhookId)).toMatchObject({ cursor, deadLetters: 0, pending: 0 });
});

test("replay sends a range again in order, and only what the webhook wants", async () => {
	const { id } = await create();
	const { id: webhookId } = await addWebhook(id, "picky", ["broadcast", "person.updated"]);
	for (const title of ["One", "Two", "Three"]) {
		await rename(id, title);
	}
	await received("picky", 3);
	await settled(id, webhookId);
	expect(receiver().typesAt("picky")).toEqual(Array(3).fill("broadcast.updated"));
	const [from = 0, to = 0] = sequences("picky");
	const replayed = await call("POST", `/api/broadcasts/${id}/webhooks/${webhookId}/replay`, {
		body: { fromSequence: from, toSequence: to },
	});
	expect(await replayed.json()).toEqual({ queued: 2 });
	await settled(id, webhookId);
	expect(sequences("picky").slice(3)).toEqual([from, to]);
	const wrong = { fromSequence: 3, toSequence: 2 };
	await problem(
		await call("POST", `/api/broadcasts/${id}/webhooks/${webhookId}/replay`, { body: wrong }),
		400,
		"invalid-request",
	);
	await problem(
		await call("POST", `/api/broadcasts/${id}/webhooks/nothing/replay`, { body: { fromSequence: 1 } }),
		404,
		"not-found",
	);
});

test("the last word of a deleted broadcast reaches its webhooks, and then nothing of it is left", async () => {
	const { id } = await create();
	let isDown = false;
	receiver().answers.late = () => (isDown ? 500 : 200);
	const { id: webhookId } = await addWebhook(id, "late");
	await settled(id, webhookId);
	isDown = true;
	expect((await call("DELETE", `/api/broadcasts/${id}`)).status).toBe(204);
	await received("late", 2);
	await problem(await call("GET", `/api/broadcasts/${id}`), 404, "not-found");
	await evictDurableObject(objectOf(id));
	isDown = false;
	advanceClock(WEBHOOK_RETRY.firstMs);
	await runDurableObjectAlarm(objectOf(id));
	await received("late", 3);
	expect(receiver().typesAt("late").slice(-2)).toEqual(["broadcast.deleted", "broadcast.deleted"]);
	await until("nothing to be left", () =>
		runInDurableObject(objectOf(id), async (_, { storage }) => {
			const tables = storage.sql
				.exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf*'")
				.toArray();
			return tables.length === 0 && (await storage.list()).size === 0 && (await storage.getAlarm()) === null
				? true
				: undefined;
		}),
	);
});

test("only host and admin have to do with webhooks, five at most, and their secret lies sealed", async () => {
	const { id, tokens } = await create();
	const path = `/api/broadcasts/${id}/webhooks`;
	const body = { url: "https://good.example.com/" };
	await problem(await call("POST", path, { body, token: tokens.guest }), 403, "forbidden");
	await problem(await call("GET", path, { token: tokens.viewer }), 403, "forbidden");
	await problem(await call("POST", path, { body: { url: "ftp://example.com/" } }), 422, "webhook-refused");
	await problem(await call("POST", path, { body: { ...body, events: ["nothing"] } }), 400, "invalid-request");
	const added = await call("POST", path, { body, token: tokens.host });
	expect(added.status).toBe(201);
	const { secret } = await added.json<Webhook>();
	expect(JSON.stringify(await webhooksOf(id))).not.toContain(secret);
	const stored = await runInDurableObject(objectOf(id), async (_, { storage }) =>
		JSON.stringify([[...(await storage.list())], storage.sql.exec("SELECT * FROM webhooks").toArray()]),
	);
	expect(stored).toContain("good.example.com");
	expect(stored).not.toContain(secret.slice("whsec_".length));
	for (let count = 1; count < 5; count++) {
		expect((await call("POST", path, { body })).status).toBe(201);
	}
	await problem(await call("POST", path, { body }), 409, "too-many");
});
