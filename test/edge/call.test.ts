import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { expect, test } from "vitest";
import { RESUME_WITHIN_MS } from "../../worker/broadcast/call-word.ts";
import { MAX_CONTROL_SOCKETS, MAX_CONTROL_SOCKETS_PER_PERSON } from "../../worker/broadcast/control-room.ts";
import { SIGNAL_BURST } from "../../worker/broadcast/signal-budget.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { call, create, env, problem, roleToken, until } from "./api-client.ts";
import { CallPeer, idsOf, OFFER, peerIn } from "./call-peer.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";
import { replaceObject } from "./replace-object.ts";
import { RunnerPeer } from "./runner-peer.ts";

freezeClock();

const broadcastOf = (id: string) => env.BROADCAST.getByName(id);

async function leftOf(id: string) {
	const { call: members } = await (await call("GET", `/api/broadcasts/${id}/stats`)).json<{ call: unknown[] }>();
	return members;
}

/** Host and guest in the call of a broadcast in its lobby. */
async function talking(body: Record<string, unknown> = {}) {
	const { id, tokens } = await create(body);
	const [host] = await CallPeer.join(id, tokens.host);
	const [guest, seenByGuest] = await CallPeer.join(id, tokens.guest);
	const seenByHost = await host.call(["guest"]);
	return { id, tokens, host, guest, seenByHost, seenByGuest };
}

/** The same, live, with a compositor. */
async function onAir(name: string) {
	const runner = await RunnerPeer.connect(name, 2);
	const { id, tokens, host, guest } = await talking({ alwaysCompose: true });
	await call("POST", `/api/broadcasts/${id}/start`);
	const { token, leaseId, fence } = await runner.assigned(id);
	const compositor = await CallPeer.open(id, token);
	const seenByCompositor = await compositor.call();
	const [seenByHost, seenByGuest] = [
		await host.call(["guest", "compositor"]),
		await guest.call(["host", "compositor"]),
	];
	return { id, tokens, runner, leaseId, fence, host, guest, compositor, seenByCompositor, seenByHost, seenByGuest };
}

async function over(id: string, runner?: RunnerPeer): Promise<void> {
	await call("POST", `/api/broadcasts/${id}/end`);
	runner?.close();
}

test("two people are told of each other, and what one says reaches the other and nobody else", async () => {
	const { id, tokens } = await create();
	const watching = await CallPeer.open(id, tokens.host);
	const [host, alone] = await CallPeer.join(id, tokens.host);
	expect(alone).toEqual({
		type: "call",
		self: { id: "host", connection: expect.stringMatching(/^[\w-]{16,64}$/), realTime: true },
		peers: [],
		iceServers: [],
	});
	const [guest, seenByGuest] = await CallPeer.join(id, tokens.guest, { realTime: false });
	expect(seenByGuest.peers).toEqual([alone.self]);
	expect(seenByGuest.self).toMatchObject({ id: "guest", realTime: false });
	const seenByHost = await host.call();
	expect(seenByHost.self).toEqual(alone.self);
	expect(seenByHost.peers).toEqual([seenByGuest.self]);

	guest.says(alone.self, OFFER);
	expect(await host.control.take("signal")).toEqual({
		type: "signal",
		from: "guest",
		connection: seenByGuest.self.connection,
		signal: OFFER,
	});
	host.says(seenByGuest.self, { kind: "candidate", candidate: "", sdpMid: null, sdpMLineIndex: 0 });
	expect(await guest.control.take("signal")).toMatchObject({
		from: "host",
		signal: { kind: "candidate", sdpMid: null },
	});
	guest.says({ ...alone.self, connection: "another" }, OFFER);
	guest.says({ ...alone.self, id: "guest-2" }, OFFER);
	guest.says(seenByGuest.self, OFFER);
	expect([await host.hears(), await guest.hears(), await watching.hears()]).toEqual([[], [], []]);
});

test("who says anew whether WebRTC works keeps their connection, and who leaves is gone for the others at once", async () => {
	const { host, guest, seenByHost, seenByGuest } = await talking();
	const again = await guest.joins({ realTime: false });
	expect(again.self).toEqual({ ...seenByGuest.self, realTime: false });
	expect((await host.call()).peers).toEqual([again.self]);
	guest.control.send({ type: "leave-call" });
	await host.call([]);
	guest.says(seenByHost.self, OFFER);
	host.says(seenByGuest.self, OFFER);
	expect(await guest.hears()).toMatchObject([{ type: "error", detail: expect.stringContaining("who has not") }]);
	expect(await host.hears()).toEqual([]);
	expect((await guest.joins()).self.connection).not.toBe(seenByGuest.self.connection);
	await host.call(["guest"]);
});

test("a newer connection of the same person takes over", async () => {
	const { id, tokens, host, guest, seenByHost } = await talking();
	const [newer, seen] = await CallPeer.join(id, tokens.guest);
	expect((await guest.control.closing()).code).toBe(CLOSE.takenOver.code);
	const told = await host.call();
	expect(told.peers).toEqual([seen.self]);
	host.says(peerIn(seenByHost, "guest"), OFFER);
	host.says(seen.self, { kind: "restart" });
	expect(await newer.hears()).toMatchObject([{ type: "signal", signal: { kind: "restart" } }]);
	expect(await host.hears()).toEqual([]);
	expect(await leftOf(id)).toMatchObject([{ id: "host" }, { id: "guest", away: false }]);
});

test("a compositor is in the call with its socket, and who comes late is told of everybody", async () => {
	const { id, runner, compositor, seenByCompositor, seenByHost, host, guest } = await onAir("runner-call");
	expect(seenByCompositor).toMatchObject({ self: { id: "compositor" } });
	expect(idsOf(seenByCompositor)).toEqual(["host", "guest"]);
	host.says(peerIn(seenByHost, "compositor"), OFFER);
	expect(await compositor.control.take("signal")).toMatchObject({ from: "host", signal: OFFER });
	compositor.says(peerIn(seenByCompositor, "host"), { kind: "rate", advice: { maxHeight: 360 } });
	expect(await host.control.take("signal")).toMatchObject({ from: "compositor", signal: { kind: "rate" } });
	host.says(peerIn(seenByHost, "guest"), { kind: "rate", advice: {} });
	host.control.send({ type: "real-time-media", people: ["host"] });
	compositor.control.send({ type: "join-call", realTime: true, streams: false });
	for (const peer of [host, host, compositor]) {
		expect(await peer.control.take("error")).toMatchObject({ detail: expect.stringMatching(/^call: expected/) });
	}
	expect(await guest.hears()).toEqual([]);

	await call("PATCH", `/api/broadcasts/${id}`, { body: { maxGuests: 2 } });
	const invite = await (await call("POST", `/api/broadcasts/${id}/invites`, { body: {} })).json<{ code: string }>();
	const redeemed = await call("POST", `/api/broadcasts/${id}/join`, { token: invite.code, body: {} });
	const { token } = await redeemed.json<{ token: string }>();
	const [, seenByLate] = await CallPeer.join(id, token);
	expect(idsOf(seenByLate)).toEqual(["host", "guest", "compositor"]);
	await compositor.call(["host", "guest", "guest-2"]);
	await over(id, runner);
});

test("a guest who is not admitted sees nobody and is heard by nobody, until they are", async () => {
	const { id, tokens } = await create({ guestAdmission: "manual" });
	const [host, seenByHost] = await CallPeer.join(id, tokens.host);
	const [guest, seenByGuest] = await CallPeer.join(id, tokens.guest);
	expect(seenByGuest.peers).toEqual([]);
	guest.says(seenByHost.self, OFFER);
	host.says(seenByGuest.self, OFFER);
	expect([await host.hears(), await guest.hears()]).toEqual([[], []]);
	await call("POST", `/api/broadcasts/${id}/people/guest/admit`, { token: tokens.host });
	expect((await guest.call()).peers).toEqual([seenByHost.self]);
	expect((await host.call()).peers).toEqual([seenByGuest.self]);
	guest.says(seenByHost.self, OFFER);
	await host.control.take("signal");
});

test("a guest who is removed is out of the call at once, and cannot speak any more", async () => {
	const { id, host, guest, runner, compositor } = await onAir("runner-removal");
	await call("DELETE", `/api/broadcasts/${id}/people/guest`);
	expect((await guest.control.closing()).code).toBe(CLOSE.unauthorized.code);
	expect(idsOf(await host.call())).toEqual(["compositor"]);
	await compositor.call(["host"]);
	expect(await leftOf(id)).toMatchObject([{ id: "host" }]);
	await over(id, runner);
	expect((await host.control.closing()).code).toBe(CLOSE.ended.code);
	expect(await leftOf(id)).toEqual([]);
});

test("a compositor whose lease is not the newest is out, and the next one is in by another connection", async () => {
	const { id, runner, leaseId, host, guest, compositor, seenByHost } = await onAir("runner-fence");
	runner.released(leaseId, "the browser died");
	const second = await runner.assigned(id);
	expect((await compositor.control.closing()).code).toBe(CLOSE.takenOver.code);
	await host.call(["guest"]);
	const [older, newer] = [await CallPeer.open(id, second.token), await CallPeer.open(id, second.token)];
	expect((await older.control.closing()).code).toBe(CLOSE.takenOver.code);
	const told = await host.call(["guest", "compositor"]);
	expect(peerIn(told, "compositor")?.connection).not.toBe(peerIn(seenByHost, "compositor")?.connection);
	host.says(peerIn(seenByHost, "compositor"), OFFER);
	guest.says(peerIn(told, "compositor"), { kind: "restart" });
	await newer.call(["host", "guest"]);
	expect(await newer.hears()).toMatchObject([{ from: "guest", signal: { kind: "restart" } }]);
	await over(id, runner);
});

test("who never sends the compositor anything does not hold it up for ever", async () => {
	const { id, runner, compositor } = await onAir("runner-media");
	const expected = async (people: readonly string[]) => {
		const isIt = ({ scene }: Record<string, unknown>) =>
			(scene as { people: { id: string; expected: boolean }[] }).people
				.filter((person) => person.expected)
				.map((person) => person.id)
				.join() === people.join();
		await compositor.control.take("scene", isIt);
	};
	await expected(["host", "guest"]);
	compositor.control.send({ type: "real-time-media", people: ["host"] });
	await until("the compositor to be heard", async () =>
		JSON.stringify(await leftOf(id)).includes('"atCompositor":true') ? true : undefined,
	);
	advanceClock(8_000);
	await runDurableObjectAlarm(broadcastOf(id));
	await expected(["host"]);
	await evictDurableObject(broadcastOf(id));
	compositor.control.send({ type: "real-time-media", people: ["host", "guest"] });
	await expected(["host", "guest"]);
	await over(id, runner);
});

test("the call goes on when the object loses its memory", async () => {
	const { id, tokens, runner, host, guest, compositor, seenByCompositor, seenByHost, seenByGuest } =
		await onAir("runner-evicted-call");
	const evict = () => evictDurableObject(broadcastOf(id));
	await evict();
	host.says(peerIn(seenByHost, "guest"), OFFER);
	expect(await guest.control.take("signal")).toMatchObject({ from: "host", connection: seenByHost.self.connection });
	await evict();
	compositor.says(peerIn(seenByCompositor, "guest"), { kind: "bye", reason: "test" });
	expect(await guest.control.take("signal")).toMatchObject({ from: "compositor" });
	guest.says(peerIn(seenByGuest, "compositor"), OFFER);
	await compositor.control.take("signal");
	expect([await host.hears(), await guest.hears(), await compositor.hears()]).toEqual([[], [], []]);
	await evict();
	const [, again] = await CallPeer.join(id, tokens.guest);
	expect((await guest.control.closing()).code).toBe(CLOSE.takenOver.code);
	expect(peerIn(await host.call(), "guest")).toEqual(again.self);
	await evict();
	await call("DELETE", `/api/broadcasts/${id}/people/guest`);
	await host.call(["compositor"]);
	await over(id, runner);
});

test("a line that breaks may be mended within seconds without anybody being told; one that is closed is not waited for", async () => {
	const { id, tokens, host, guest, seenByHost, seenByGuest } = await talking();
	guest.control.socket.close(4999, "the line broke");
	await until("the guest to be away", async () =>
		JSON.stringify(await leftOf(id)).includes('"away":true') ? true : undefined,
	);
	const [back, seen] = await CallPeer.join(id, tokens.guest, { connection: seenByGuest.self.connection });
	expect(seen).toEqual(seenByGuest);
	expect(await host.hears()).toEqual([]);
	host.says(peerIn(seenByHost, "guest"), OFFER);
	await back.control.take("signal");
	// Another person's connection, or one that is none any more, is nobody's to have.
	const stolen = await back.joins({ connection: seenByHost.self.connection });
	expect(stolen.self).toEqual(seen.self);
	back.control.socket.close(1000, "left");
	await host.call([]);
	const [, fresh] = await CallPeer.join(id, tokens.guest, { connection: seenByGuest.self.connection });
	expect(fresh.self.connection).not.toBe(seenByGuest.self.connection);
});

test("after a deploy those who come back are where they were, and those who do not have left", async () => {
	const { id, tokens, runner, fence, guest, compositor, seenByHost, seenByCompositor } = await onAir("runner-deploy");
	const token = await roleToken(id, "compositor", { fence });
	await replaceObject(broadcastOf(id));
	const [host, seen] = await CallPeer.join(id, tokens.host, { connection: seenByHost.self.connection });
	expect(seen).toEqual(seenByHost);
	const again = await CallPeer.open(id, token);
	expect(await again.call()).toEqual(seenByCompositor);
	host.says(peerIn(seen, "compositor"), OFFER);
	await again.control.take("signal");
	expect(guest.control.closed ?? compositor.control.closed).toBeDefined();
	advanceClock(RESUME_WITHIN_MS);
	await runDurableObjectAlarm(broadcastOf(id));
	await host.call(["compositor"]);
	await again.call(["host"]);
	await over(id, runner);
});

test("admins and viewers are in no call, nor is who has not joined heard in it", async () => {
	const { id, host, seenByHost } = await talking();
	const admin = await CallPeer.open(id, "test-admin-token");
	admin.control.send({ type: "join-call", realTime: true, streams: false });
	admin.says(seenByHost.self, OFFER);
	expect(await admin.hears()).toMatchObject([
		{ type: "error", title: "The token does not allow this" },
		{ type: "error", title: "The token does not allow this" },
	]);
	expect(await host.hears()).toEqual([]);
	for (const role of ["viewer", "compositor"] as const) {
		const headers = { Upgrade: "websocket" };
		const token = await roleToken(id, role);
		await problem(await call("GET", `/api/broadcasts/${id}/control`, { token, headers }), 403, "forbidden");
	}
});

test("signals that are too large or not signals are refused, and too many are dropped, with one complaint", async () => {
	const { host, guest, seenByGuest, seenByHost } = await talking();
	const to = seenByHost.self;
	for (const signal of [
		{ ...OFFER, sdp: "x".repeat(48 * 1024 + 1) },
		{ kind: "candidate", candidate: "x".repeat(1_025) },
		{ kind: "dance" },
		{ ...OFFER, type: "pranswer" },
	]) {
		guest.says(to, signal);
		expect(await guest.control.take("error")).toMatchObject({ title: "The request is not valid" });
	}
	guest.says(to, { ...OFFER, sdp: "x".repeat(48 * 1024) });
	await host.control.take("signal");
	for (let count = 0; count < SIGNAL_BURST + 50; count++) {
		guest.says(to, { kind: "restart" });
	}
	expect(await guest.hears()).toMatchObject([{ type: "error", title: "Too many requests" }]);
	expect((await host.hears()).length).toBeLessThan(SIGNAL_BURST);
	advanceClock(1_000);
	guest.says(to, { kind: "bye", reason: "test" });
	expect(await host.control.take("signal")).toMatchObject({ signal: { kind: "bye" } });
	host.says(seenByGuest.self, OFFER);
	await guest.control.take("signal");
});

test("somebody who opens one socket after the other leaves room for everybody else, and keeps the one that is in the call", async () => {
	const { id, tokens } = await create();
	const [inCall] = await CallPeer.join(id, tokens.guest);
	const more: CallPeer[] = [];
	for (let each = 0; each < MAX_CONTROL_SOCKETS + 2; each++) {
		more.push(await CallPeer.open(id, tokens.guest));
		advanceClock(1);
	}
	const [host] = await CallPeer.join(id, tokens.host);
	await until("the guest's oldest to be let go", () => more[0]?.control.closed && true);
	const isOpen = ({ control }: CallPeer) => control.closed === undefined;
	expect([inCall, ...more].filter(isOpen)).toHaveLength(MAX_CONTROL_SOCKETS_PER_PERSON);
	expect([inCall, host, more.at(-1) ?? inCall].map(isOpen)).toEqual([true, true, true]);
});
