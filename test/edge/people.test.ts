import { evictDurableObject } from "cloudflare:test";
import type { z } from "@hono/zod-openapi";
import { expect, test } from "vitest";
import type { createdInviteSchema, joinedSchema } from "../../worker/api/people-schema.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { interFrame, keyFrame, videoConfig } from "../unit/worker-media/wsflv-fixtures.ts";
import { call, create, env, JsonSocket, openSocket, problem, until } from "./api-client.ts";
import { MediaSocketPeer } from "./media-socket-peer.ts";
import { replaceObject } from "./replace-object.ts";

type Invite = z.infer<typeof createdInviteSchema>;
type Joined = z.infer<typeof joinedSchema>;

/** Issue 4: revoked means disconnected within a second. */
const REVOKED_WITHIN_MS = 1_000;

const control = (id: string, token: string) => openSocket(`/api/broadcasts/${id}/control`, { token });

async function invite(id: string, body: object = {}): Promise<Invite> {
	const response = await call("POST", `/api/broadcasts/${id}/invites`, { body });
	expect(response.status).toBe(201);
	return response.json<Invite>();
}

const redeem = (id: string, code: string, body: object = {}) =>
	call("POST", `/api/broadcasts/${id}/join`, { token: code, body });

async function join(id: string, code: string, body: object = {}): Promise<Joined> {
	const response = await redeem(id, code, body);
	expect(response.status).toBe(200);
	return response.json<Joined>();
}

async function media(id: string, stream: string, direction: string, token: string): Promise<MediaSocketPeer> {
	const path = `/api/broadcasts/${id}/media/${stream}?direction=${direction}`;
	const { webSocket } = await call("GET", path, { token, headers: { Upgrade: "websocket" } });
	if (webSocket === null) {
		throw new Error("test: expected a WebSocket");
	}
	return new MediaSocketPeer(webSocket);
}

/** Publishes, and waits until everyone knows. */
async function onAir(id: string, { personId, token }: Joined): Promise<MediaSocketPeer> {
	const peer = await media(id, personId, "publish", token);
	peer.publish([videoConfig(0), keyFrame(0), interFrame(33)]);
	await until("the stream to be live", async () => ((await personOf(id, personId))?.live ? true : undefined));
	return peer;
}

interface Person {
	readonly id: string;
	readonly name: string;
	readonly live: boolean;
	readonly muted: boolean;
	readonly admitted: boolean;
	readonly gain: number;
	readonly inviteId?: string;
}

async function peopleOf(id: string): Promise<Person[]> {
	const { people } = await (await call("GET", `/api/broadcasts/${id}/people`)).json<{ people: Person[] }>();
	return people;
}

async function personOf(id: string, personId: string): Promise<Person | undefined> {
	return (await peopleOf(id)).find((person) => person.id === personId);
}

const change = (id: string, personId: string, body: object, token?: string) =>
	call("PATCH", `/api/broadcasts/${id}/people/${personId}`, { body, ...(token === undefined ? {} : { token }) });

async function refusedSocket(path: string, token: string): Promise<void> {
	const refused = await call("GET", path, { token, headers: { Upgrade: "websocket" } });
	await problem(refused, 401, "unauthorized");
}

test("an invite gives a place, a token and a key that work, and is shown without its code", async () => {
	const { id, title, tokens } = await create({ maxGuests: 2 });
	const created = await invite(id, { note: "from the desk", name: "Grace" });
	expect(created.link).toBe(`http://tandem.example/join/${id}#invite=${created.code}`);
	expect(Date.parse(created.expiresAt) - Date.parse(created.createdAt)).toBe(7 * 24 * 3_600_000);
	const joined = await join(id, created.code);
	expect(joined).toMatchObject({ personId: "guest", name: "Grace", admitted: true, broadcast: { id, title } });
	for (const credential of [joined.token, joined.ingest.rtmp.streamKey]) {
		const peer = await media(id, "guest", "publish", credential);
		peer.socket.close(1000);
	}
	const listed = await call("GET", `/api/broadcasts/${id}/invites`, { token: tokens.host });
	const text = await listed.text();
	expect(JSON.parse(text)).toMatchObject({ invites: [{ id: created.id, note: "from the desk", uses: 1, maxUses: 1 }] });
	expect(text).not.toContain(created.code);
	await problem(await redeem(id, created.code), 410, "invite-expired");
	expect(await personOf(id, "guest")).toMatchObject({ inviteId: created.id, name: "Grace" });
});

test("an invite holds until the day after a scheduled start, for as long as it says, and for as many as it says", async () => {
	const startMs = Math.ceil(Date.now() / 1_000) * 1_000 + 30 * 24 * 3_600_000;
	const { id } = await create({ scheduledStartTime: new Date(startMs).toISOString(), maxGuests: 2 });
	expect(Date.parse((await invite(id)).expiresAt)).toBe(startMs + 24 * 3_600_000);
	const short = await invite(id, { expiresInSeconds: 3_600, maxUses: 3, admission: "manual" });
	expect(Date.parse(short.expiresAt) - Date.parse(short.createdAt)).toBe(3_600_000);
	expect(await join(id, short.code, { name: "Ada" })).toMatchObject({
		personId: "guest",
		name: "Ada",
		admitted: false,
	});
	expect(await join(id, short.code)).toMatchObject({ personId: "guest-2", name: "Guest 2" });
	expect((await problem(await redeem(id, short.code), 409, "too-many")).detail).toContain("got none");
});

test("refuses codes that are wrong in any way, and says nothing of them", async () => {
	const [{ id, tokens }, other] = [await create(), await create()];
	const { code } = await invite(id);
	const wrong = [
		(await invite(other.id)).code,
		`${id}-invite-${"0".repeat(24)}`,
		code.slice(0, -1),
		tokens.guest,
		"test-admin-token",
	];
	for (const each of wrong) {
		expect((await problem(await redeem(id, each), 401, "unauthorized")).detail).not.toContain(each);
	}
	await problem(await call("POST", `/api/broadcasts/${id}/join`, { token: undefined, body: {} }), 401, "unauthorized");
	await problem(await call("GET", `/api/broadcasts/${id}`, { token: code }), 401, "unauthorized");
});

test("whoever is removed or came by a revoked invite is cut off within a second, everywhere and for good", async () => {
	const { id } = await create({ maxGuests: 3 });
	const { id: inviteId, code } = await invite(id, { maxUses: 3 });
	const ways: Record<string, (personId: string) => Promise<Response>> = {
		removed: (personId) => call("DELETE", `/api/broadcasts/${id}/people/${personId}`),
		renewed: (personId) => call("POST", `/api/broadcasts/${id}/people/${personId}/credentials`),
		revoked: () => call("DELETE", `/api/broadcasts/${id}/invites/${inviteId}`),
	};
	const joined: Joined[] = [];
	for (const _ of Object.keys(ways)) {
		joined.push(await join(id, code));
	}
	for (const [index, [name, revoke]] of Object.entries(ways).entries()) {
		const guest = joined[index];
		if (guest === undefined) {
			throw new Error("test: expected a guest for each way");
		}
		const publisher = await onAir(id, guest);
		const subscriber = await media(id, "host", "subscribe", guest.token);
		const watcher = await media(id, "program/main", "subscribe", guest.ingest.rtmp.streamKey);
		const socket = await control(id, guest.token);
		await socket.take("status");
		const startedMs = Date.now();
		expect((await revoke(guest.personId)).status, name).toBeLessThan(300);
		for (const closed of [publisher.closed, subscriber.closed, watcher.closed, socket.closing()]) {
			expect((await closed).code, name).toBe(CLOSE.unauthorized.code);
		}
		expect(Date.now() - startedMs, name).toBeLessThan(REVOKED_WITHIN_MS);
		for (const credential of [guest.token, guest.ingest.rtmp.streamKey]) {
			await refusedSocket(`/api/broadcasts/${id}/media/${guest.personId}?direction=publish`, credential);
			await refusedSocket(`/api/broadcasts/${id}/control`, credential);
			await problem(await call("GET", `/api/broadcasts/${id}`, { token: credential }), 401, "unauthorized");
		}
		if (name !== "renewed") {
			expect((await personOf(id, guest.personId))?.live, name).toBe(false);
		}
	}
});

test("a token on its way while it is made worthless opens nothing, also after the objects were lost", async () => {
	const { id } = await create();
	const { personId } = await join(id, (await invite(id)).code);
	await call("DELETE", `/api/broadcasts/${id}/people/${personId}`);
	// As the Worker hands it on when it has looked at the token just before.
	const late = async (path: string) => {
		const router = env.ROUTER.getByName(id);
		return new JsonSocket(await router.fetch(`http://object${path}`, { headers: { Upgrade: "websocket" } }));
	};
	const paths = [`/publish?stream=${personId}&ver=2`, `/subscribe?stream=host&as=${personId}&ver=2`];
	for (const path of paths) {
		expect((await (await late(path)).closing()).code).toBe(CLOSE.unauthorized.code);
	}
	const room = await env.BROADCAST.getByName(id).fetch(`http://object/control?role=guest&person=${personId}&ver=2`, {
		headers: { Upgrade: "websocket" },
	});
	expect((await new JsonSocket(room).closing()).code).toBe(CLOSE.unauthorized.code);
	await replaceObject(env.ROUTER.getByName(id));
	for (const path of paths) {
		expect((await (await late(path)).closing()).code).toBe(CLOSE.unauthorized.code);
	}
});

test("a disconnection that was cut short is made good, and does not touch who has the new credentials", async () => {
	const { id, tokens } = await create();
	const socket = await control(id, tokens.guest);
	await socket.take("status");
	await evictDurableObject(env.BROADCAST.getByName(id));
	const { token } = await (await call("POST", `/api/broadcasts/${id}/people/guest/credentials`)).json<{
		token: string;
	}>();
	expect((await socket.closing()).code).toBe(CLOSE.unauthorized.code);
	const fresh = await media(id, "guest", "publish", token);
	await env.ROUTER.getByName(id).disconnect([{ person: "guest", credentialsVersion: 2 }], "again, late");
	fresh.publish([videoConfig(0), keyFrame(0), interFrame(33)]);
	await until("the stream to be live", async () => ((await personOf(id, "guest"))?.live ? true : undefined));
	fresh.socket.close(1000);
});

test("new credentials for host and viewers: the old ones are worth nothing, the new ones work", async () => {
	const { id, tokens, ingest } = await create();
	const viewer = await media(id, "program/main", "subscribe", tokens.viewer);
	const renewed = await call("POST", `/api/broadcasts/${id}/people/viewer/credentials`, { token: tokens.host });
	const forViewers = await renewed.json<{ token: string; link: string; ingest?: unknown }>();
	expect((await viewer.closed).code).toBe(CLOSE.unauthorized.code);
	expect(forViewers.link).toBe(`http://tandem.example/watch/${id}#token=${forViewers.token}`);
	expect(forViewers.ingest).toBeUndefined();
	await refusedSocket(`/api/broadcasts/${id}/media/program/main?direction=subscribe`, tokens.viewer);
	(await media(id, "program/main", "subscribe", forViewers.token)).socket.close(1000);
	const host = await call("POST", `/api/broadcasts/${id}/people/host/credentials`, { token: tokens.host });
	const forHost = await host.json<{ token: string; link: string; ingest: typeof ingest.host }>();
	expect(forHost.link).toContain(`/studio/${id}#token=`);
	await problem(await call("GET", `/api/broadcasts/${id}`, { token: tokens.host }), 401, "unauthorized");
	expect((await call("GET", `/api/broadcasts/${id}`, { token: forHost.token })).status).toBe(200);
	(await media(id, "host", "publish", forHost.ingest.rtmp.streamKey)).socket.close(1000);
	await problem(
		await call("POST", `/api/broadcasts/${id}/people/host/credentials`, { token: tokens.guest }),
		403,
		"forbidden",
	);
});

test("guests change their own name and mute themselves, and nothing else of anybody", async () => {
	const { id, tokens } = await create({ maxGuests: 2 });
	expect(await (await change(id, "guest", { name: "Bo" }, tokens.guest)).json()).toMatchObject({ name: "Bo" });
	for (const muted of [true, false]) {
		expect(await (await change(id, "guest", { muted }, tokens.guest)).json()).toMatchObject({ muted });
	}
	for (const [personId, body] of [
		["guest", { gain: 2 }],
		["guest-2", { name: "Me" }],
		["host", { muted: true }],
	] as const) {
		await problem(await change(id, personId, body, tokens.guest), 403, "forbidden");
	}
	await problem(await change(id, "guest", { name: "Vi" }, tokens.viewer), 403, "forbidden");
	await change(id, "guest", { muted: true }, tokens.host);
	await problem(await change(id, "guest", { muted: false }, tokens.guest), 403, "forbidden");
	expect(await (await change(id, "guest", { muted: false, gain: 2 }, tokens.host)).json()).toMatchObject({
		muted: false,
		gain: 2,
		name: "Bo",
	});
	await problem(await change(id, "guest-3", { name: "Nobody" }), 404, "not-found");
	await problem(await change(id, "guest", { gain: 5 }), 400, "invalid-request");
});

test("If-Match holds for people and scene, and every change of them raises the version", async () => {
	const { id, version } = await create();
	const renamed = await change(id, "host", { name: "Ada" });
	expect(renamed.headers.get("ETag")).toBe(`"${version + 1}"`);
	const headers = { "If-Match": `"${version}"` };
	const body = { labels: false };
	await problem(await call("PUT", `/api/broadcasts/${id}/scene`, { body, headers }), 412, "precondition-failed");
	const changed = await call("PUT", `/api/broadcasts/${id}/scene`, {
		body: { layout: "grid", labels: false, order: ["guest", "host"] },
		headers: { "If-Match": `"${version + 1}"` },
	});
	expect(await changed.json()).toMatchObject({
		version: version + 2,
		layout: "grid",
		labels: false,
		order: ["guest", "host"],
	});
	await problem(
		await call("PUT", `/api/broadcasts/${id}/scene`, { body: { order: ["guest-2"] } }),
		400,
		"invalid-request",
	);
});

test("a guest who waits is heard of, is on air when admitted, and a free place cannot be admitted", async () => {
	const { id, tokens } = await create({ guestAdmission: "manual", maxGuests: 2 });
	const guest = await join(id, (await invite(id)).code, { name: "Grace" });
	const host = await control(id, tokens.host);
	const publisher = await onAir(id, guest);
	const seen = await media(id, guest.personId, "subscribe", tokens.host);
	await seen.waitForTags(2);
	await host.take("status", ({ people }) =>
		(people as Person[]).some(({ name, live, admitted }) => name === "Grace" && live && !admitted),
	);
	expect(await (await call("POST", `/api/broadcasts/${id}/people/guest/admit`)).json()).toMatchObject({
		admitted: true,
	});
	await host.take("status", ({ people }) =>
		(people as Person[]).some(({ live, admitted }) => live && admitted && true),
	);
	await call("DELETE", `/api/broadcasts/${id}/people/guest`);
	await publisher.closed;
	await problem(await call("POST", `/api/broadcasts/${id}/people/guest/admit`), 409, "wrong-state");
	seen.socket.close(1000);
});

test("commands on the control socket do what they do over HTTP, and say so by their id", async () => {
	const { id, tokens, version } = await create({ maxGuests: 2 });
	const [host, guest] = [await control(id, tokens.host), await control(id, tokens.guest)];
	const ask = (socket: JsonSocket, requestId: string | number, command: object) =>
		socket.send({ type: "command", id: requestId, command });
	ask(host, 1, { type: "set-scene", layout: "grid", labels: false });
	expect(await host.take("done")).toEqual({ type: "done", id: 1, version: version + 1 });
	await guest.take("status", ({ layout, labels }) => layout === "grid" && labels === false);
	ask(host, "b", { type: "set-person", personId: "guest", gain: 0.5 });
	expect(await host.take("done")).toMatchObject({ id: "b" });
	ask(guest, 2, { type: "set-person", personId: "guest", name: "Bo", muted: true });
	expect(await guest.take("done")).toMatchObject({ id: 2 });
	expect(await personOf(id, "guest")).toMatchObject({ name: "Bo", muted: true, gain: 0.5 });
	ask(guest, 3, { type: "set-scene", layout: "solo" });
	expect(await guest.take("error")).toMatchObject({ id: 3, detail: expect.stringContaining("got guest") });
	ask(guest, 4, { type: "add-destination", url: "rtmp://127.0.0.1:9/app" });
	expect(await guest.take("error")).toMatchObject({ id: 4, detail: expect.stringContaining("got guest") });
	const streamKey = "a-key-nobody-may-see";
	ask(host, 5, { type: "add-destination", url: "rtmp://127.0.0.1:9/app", streamKey });
	await host.take("done", (message) => message.id === 5);
	ask(host, 6, { type: "add-destination", url: "rtmp://127.0.0.1:9/app", streamKey });
	const twice = await host.take("error", (message) => message.id === 6);
	expect(JSON.stringify(twice)).not.toContain(streamKey);
	ask(host, 7, { type: "add-destination", url: "http://127.0.0.1/" });
	await host.take("error", (message) => message.id === 7);
	const { destinations } = await (await call("GET", `/api/broadcasts/${id}`)).json<{
		destinations: { id: string }[];
	}>();
	expect(destinations).toHaveLength(1);
	ask(host, 8, { type: "remove-destination", destinationId: destinations[0]?.id });
	await host.take("done", (message) => message.id === 8);
	ask(host, 9, { type: "remove-person", personId: "guest" });
	await host.take("done", (message) => message.id === 9);
	expect((await guest.closing()).code).toBe(CLOSE.unauthorized.code);
	ask(host, 10, { type: "admit-person", personId: "guest" });
	expect(await host.take("error")).toMatchObject({ id: 10, title: "Not in this state of the broadcast" });
	ask(host, 11, { type: "end" });
	expect((await host.closing()).code).toBe(CLOSE.ended.code);
});
