import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env as testEnv } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../../egress/clock.ts";
import { EgressSession } from "../../egress/egress-session.ts";
import { RouterSubscription, SILENT_AFTER_MS } from "../../egress/router-subscription.ts";
import { RtmpPublisher } from "../../rtmp/publisher.ts";
import { seal } from "../../worker/auth/sealing.ts";
import type { Egress } from "../../worker/egress/egress.ts";
import type { Env } from "../../worker/env.ts";
import type { EgressStatus } from "../../worker/protocol/egress-status.ts";
import type { EgressConfig, ProgramPlan } from "../../worker/protocol/object-rpc.ts";
import { FakeDestination, type Manner } from "../unit/worker-media/fake-destination.ts";
import { audioConfig, interFrame, keyFrame, sound, videoConfig } from "../unit/worker-media/wsflv-fixtures.ts";
import { MediaSocketPeer } from "./media-socket-peer.ts";
import { replaceObject } from "./replace-object.ts";

const env = testEnv as unknown as Env;
const KEY = "s3cret-key";
const PATIENCE = { timeout: 15_000 };
let broadcastCount = 0;

/** Port 1 of this machine: nobody is there, and it says so at once. */
const NOBODY: Address = { url: "rtmp://127.0.0.1:1/live", streamKey: KEY };

const FORMAT = {
	width: 1280,
	height: 720,
	frameRate: 25,
	videoBitrateBps: 3_000_000,
	audioBitrateBps: 128_000,
};

interface Address {
	readonly url: string;
	readonly streamKey?: string;
}

async function config(broadcastId: string, address = NOBODY): Promise<EgressConfig> {
	return {
		broadcastId,
		destinationId: "d",
		// What any subscriber gets; the program's own stream goes on by itself, in hold.
		stream: "host",
		sealedAddress: await seal(JSON.stringify(address), env, `destination:${broadcastId}`),
		via: "edge",
		...FORMAT,
	};
}

async function openBroadcast() {
	const broadcastId = `egress-test-${++broadcastCount}`;
	const router = env.ROUTER.get(env.ROUTER.idFromName(broadcastId));
	await router.open({ broadcastId });
	return { broadcastId, router };
}

const ON_AIR: ProgramPlan = {
	onAir: true,
	prefers: "host",
	width: 1280,
	height: 720,
	allowsBFrames: false,
	minFence: 0,
	holdSeconds: 120,
};

type RouterStub = Awaited<ReturnType<typeof openBroadcast>>["router"];

async function mediaSocket(router: RouterStub, path: string): Promise<WebSocket> {
	const response = await router.fetch(`https://router${path}`, { headers: { Upgrade: "websocket" } });
	if (response.webSocket === null) {
		throw new Error(`test: expected a WebSocket, got status ${response.status}`);
	}
	return response.webSocket;
}

async function publishTo(router: RouterStub): Promise<MediaSocketPeer> {
	return new MediaSocketPeer(await mediaSocket(router, "/publish?stream=host"));
}

/** Five times as fast as real time, so that nobody waits for seconds. */
const SPEED = 5;
const fastClock: Clock = {
	nowMs: () => Date.now() * SPEED,
	after: (delayMs, action) => systemClock.after(delayMs / SPEED, action),
};

/** A session on the Router's real socket, with destinations in memory, since workerd cannot listen. */
function egress(
	router: () => RouterStub,
	clock: Clock = systemClock,
	manner: Manner = { kind: "accept" },
	/** A Router that is not there. */
	instead: () => Promise<WebSocket> | undefined = () => undefined,
) {
	const destination = new FakeDestination(clock, manner);
	const session = new EgressSession(
		{ ...NOBODY, ...FORMAT },
		{
			dial: destination.dial,
			clock,
			random: () => 0,
			onChange: () => {},
		},
	);
	const subscription = new RouterSubscription({
		open: async () => {
			const never = instead();
			if (never !== undefined) {
				return await never;
			}
			const socket = await mediaSocket(router(), "/subscribe?stream=host&ack=1&group=1");
			socket.binaryType = "arraybuffer";
			socket.accept();
			return socket;
		},
		clock,
		random: () => 0,
		isOnAir: () => session.status().state === "live",
		onMessage: (message) => session.push(message),
		onOpen: () => session.resubscribed(),
		onEnded: () => void session.stop(),
		warn: (message) => console.warn(message),
	});
	session.start();
	const state = () => session.status().state;
	return { destination, session, subscription, state };
}

const START = [videoConfig(9_000), audioConfig(9_000), keyFrame(9_000), sound(9_010), interFrame(9_040)];

test("the Router's program reaches a destination, from metadata to goodbye", async () => {
	const { router } = await openBroadcast();
	const { destination, session, subscription } = egress(() => router);
	const publisher = await publishTo(router);
	publisher.publish(START);
	await expect
		.poll(() => destination.received, PATIENCE)
		.toEqual(["metadata", "video-config@0", "audio-config@0", "key@0", "audio@10", "inter@40"]);
	await expect
		.poll(async () => (await router.stats()).streams[0]?.subscribers, PATIENCE)
		.toMatchObject([{ ackLagMs: 0, skippedTags: 0 }]);
	subscription.close();
	await session.stop();
	expect(destination.session.endings).toEqual(["the publisher ended the stream"]);
});

test("a destination that cannot be reached, is silent or takes nothing is not noticed by the one beside it", async () => {
	const { router } = await openBroadcast();
	const others = ([{ kind: "unreachable" }, { kind: "silent" }, { kind: "stuck-after", tags: 1 }] as const).map(
		(manner) => egress(() => router, systemClock, manner),
	);
	const well = egress(() => router);
	const publisher = await publishTo(router);
	publisher.publish(START);
	for (let frame = 2; frame < 200; frame++) {
		publisher.send([frame % 25 === 0 ? keyFrame(9_000 + frame * 40) : interFrame(9_000 + frame * 40)]);
	}
	await expect.poll(() => well.destination.received.length, PATIENCE).toBe(6 + 198);
	expect(well.session.status()).toMatchObject({ state: "live", droppedTags: 0, reconnects: 0 });
	expect(others.map(({ state }) => state())).toEqual(["retrying", "connecting", "live"]);
	for (const { subscription, session } of [well, ...others]) {
		subscription.close();
		await session.stop();
	}
});

test("the session to the destination stays open when the Router is replaced, and time goes on", async () => {
	const { broadcastId, router } = await openBroadcast();
	const fresh = () => env.ROUTER.get(env.ROUTER.idFromName(broadcastId));
	const { destination, session, subscription } = egress(fresh);
	const publisher = await publishTo(router);
	publisher.publish(START);
	await expect.poll(() => destination.received.length, PATIENCE).toBe(6);
	const sentMs = Date.now();
	await replaceObject(router as unknown as DurableObjectStub);
	await expect.poll(async () => (await fresh().stats()).streams[0]?.subscribers.length, PATIENCE).toBe(1);
	const beforeMs = Date.now();
	(await publishTo(fresh())).publish([videoConfig(0), audioConfig(0), keyFrame(0, 1), interFrame(40)]);
	await expect.poll(() => destination.received.length, PATIENCE).toBe(8);
	const times = destination.session.tags.slice(-3).map((tag) => tag.timestampMs);
	const [lastBefore = 0, key = 0, inter = 0] = times;
	expect(lastBefore).toBe(40);
	expect(key - lastBefore).toBeGreaterThanOrEqual(beforeMs - sentMs - 100);
	expect(inter - key).toBe(40);
	expect(destination.sessions).toHaveLength(1);
	subscription.close();
	await session.stop();
});

test("a subscription that has gone silent without breaking is opened again, and the session to the destination kept", async () => {
	const { router } = await openBroadcast();
	const { destination, session, subscription } = egress(() => router, fastClock);
	const publisher = await publishTo(router);
	publisher.publish(START);
	await expect.poll(() => destination.received.length, PATIENCE).toBe(6);
	const subscriber = async () => (await router.stats()).streams[0]?.subscribers[0]?.id;
	const first = await subscriber();
	await expect.poll(subscriber, PATIENCE).not.toBe(first);
	publisher.send([interFrame(10_000)]);
	await expect.poll(() => destination.received.length, PATIENCE).toBe(7);
	expect(destination.received.at(-1)).toContain("inter@");
	expect(destination.sessions).toHaveLength(1);
	subscription.close();
	await session.stop();
});

test("a subscription may be silent for as long as it likes before the destination is live", async () => {
	const { router } = await openBroadcast();
	const { session, subscription } = egress(() => router, fastClock);
	const subscriber = async () => (await router.stats()).streams[0]?.subscribers[0]?.id;
	await expect.poll(subscriber, PATIENCE).toBeDefined();
	const first = await subscriber();
	const untilMs = fastClock.nowMs() + 2 * SILENT_AFTER_MS;
	await expect.poll(() => fastClock.nowMs(), PATIENCE).toBeGreaterThan(untilMs);
	expect(await subscriber()).toBe(first);
	subscription.close();
	await session.stop();
});

test("a Router that does not answer is asked again", async () => {
	const { router } = await openBroadcast();
	let asked = 0;
	const never = new Promise<never>(() => {});
	const { session, subscription } = egress(
		() => router,
		fastClock,
		{ kind: "accept" },
		() => (++asked === 1 ? never : undefined),
	);
	await expect.poll(async () => (await router.stats()).streams[0]?.subscribers.length, PATIENCE).toBe(1);
	expect(asked).toBe(2);
	subscription.close();
	await session.stop();
});

test("ends when the Router says that the broadcast has", async () => {
	const { router } = await openBroadcast();
	const { destination, state } = egress(() => router);
	(await publishTo(router)).publish(START);
	await expect.poll(state, PATIENCE).toBe("live");
	await router.end("over");
	await expect.poll(state, PATIENCE).toBe("stopped");
	await expect.poll(() => destination.session.endings, PATIENCE).toEqual(["the publisher ended the stream"]);
});

// --- the Durable Object --------------------------------------------------------------------------------------------------------

/** Where the objects publish to: workerd cannot listen, so that what would dial out finds these, by stream key. */
const destinations = new Map<string, FakeDestination>();
const dialOut = RtmpPublisher.dial;
vi.spyOn(RtmpPublisher, "dial").mockImplementation((open, options) => {
	const destination = destinations.get(options.url.streamKey);
	const signal = new AbortController().signal;
	return dialOut(destination === undefined ? open : (url) => destination.dial(url, signal), options);
});

function egressObject(broadcastId: string) {
	return env.EGRESS.get(env.EGRESS.idFromName(`${broadcastId}/d`));
}

/** A stub whose last object was lost: the next call makes another. */
const asPlain = (stub: ReturnType<typeof egressObject>) => stub as unknown as DurableObjectStub<Egress>;

async function state(stub: ReturnType<typeof egressObject>): Promise<EgressStatus["state"]> {
	return (await stub.status()).state;
}

/** An egress object that publishes to a destination in memory. */
async function liveObject() {
	const { broadcastId, router } = await openBroadcast();
	const destination = new FakeDestination(systemClock);
	const streamKey = `${KEY}-${broadcastId}`;
	destinations.set(streamKey, destination);
	const stub = egressObject(broadcastId);
	await stub.start(await config(broadcastId, { ...NOBODY, streamKey }));
	const publisher = await publishTo(router);
	publisher.publish(START);
	await expect.poll(() => state(stub), PATIENCE).toBe("live");
	await expect.poll(() => destination.received.length, PATIENCE).toBe(6);
	return { broadcastId, router, destination, stub, publisher };
}

test("the object waits for a program, tries a destination that is not there, and stops", async () => {
	const { broadcastId, router } = await openBroadcast();
	const stub = egressObject(broadcastId);
	expect(await state(stub)).toBe("stopped");
	await stub.start(await config(broadcastId));
	await stub.start(await config(broadcastId));
	expect(await state(stub)).toBe("connecting");
	(await publishTo(router)).publish(START);
	await expect.poll(() => state(stub), PATIENCE).toBe("retrying");
	const status = await stub.status();
	expect(status.attempts).toBeGreaterThan(0);
	expect(status.lastError).toBeTypeOf("string");
	expect(JSON.stringify(status)).not.toContain(KEY);
	await stub.stop("test");
	await stub.stop("test");
	expect(await state(stub)).toBe("stopped");
	expect(await runDurableObjectAlarm(asPlain(stub))).toBe(false);
});

test("the object refuses an address that is none, for good", async () => {
	const { broadcastId, router } = await openBroadcast();
	(await publishTo(router)).publish(START);
	const stub = egressObject(broadcastId);
	await stub.start(await config(broadcastId, { ...NOBODY, url: "https://example.com/live" }));
	await expect.poll(() => state(stub), PATIENCE).toBe("refused");
	await replaceObject(asPlain(stub));
	const after = egressObject(broadcastId);
	await after.resume();
	expect(await state(after)).toBe("refused");
	await after.stop("test");
	expect(await state(after)).toBe("stopped");
});

// `evictDurableObject` waits for sockets of the object's own to close, as workerd does: in mid-stream an object is lost, not evicted.
test("an object that was lost in mid-stream is resumed by a call, with headers and a key frame, where its time is by now", async () => {
	const { broadcastId, destination, stub, publisher } = await liveObject();
	await stub.resume();
	expect(destination.sessions, "a call to an object that is there changes nothing").toHaveLength(1);
	const first = destination.session;
	const { bytes } = await stub.status();
	const lastMs = first.tags.at(-1)?.timestampMs ?? Number.NaN;
	await replaceObject(asPlain(stub));
	const lostMs = Date.now();
	const after = egressObject(broadcastId);
	await after.resume();
	await expect.poll(() => destination.sessions.length, PATIENCE).toBe(2);
	await expect.poll(() => destination.received.length, PATIENCE).toBeGreaterThanOrEqual(4);
	const goneMs = Date.now() - lostMs;
	expect(goneMs).toBeLessThan(2_000);
	expect(destination.received.slice(0, 4).map((name) => name.replace(/@.*/, ""))).toEqual([
		"metadata",
		"video-config",
		"audio-config",
		"key",
	]);
	const againMs = destination.session.tags[3]?.timestampMs ?? Number.NaN;
	expect(againMs).toBeGreaterThan(lastMs);
	expect(againMs).toBeLessThan(lastMs + 5_000);
	publisher.send([interFrame(9_000 + againMs + 2_000)]);
	await expect.poll(() => destination.received.at(-1), PATIENCE).toContain("inter@");
	expect(await after.status()).toMatchObject({ state: "live", reconnects: 1 });
	expect((await after.status()).bytes).toBeGreaterThan(bytes);
	expect(first.endings, "no goodbye on a break").not.toContain("the publisher ended the stream");
	await after.stop("test");
});

test("an object that was lost is resumed by its alarm when nobody calls", async () => {
	const { broadcastId, destination, stub } = await liveObject();
	await runInDurableObject(asPlain(stub), async (_egress, { storage }) => {
		const alarmMs = await storage.getAlarm();
		expect(alarmMs).toBeGreaterThan(Date.now());
		expect(alarmMs).toBeLessThanOrEqual(Date.now() + 10_000);
	});
	await replaceObject(asPlain(stub));
	const after = egressObject(broadcastId);
	expect(await runDurableObjectAlarm(asPlain(after))).toBe(true);
	await expect.poll(() => destination.sessions.length, PATIENCE).toBe(2);
	await expect.poll(() => destination.received.some((name) => name.startsWith("key@")), PATIENCE).toBe(true);
	await after.stop("test");
	await replaceObject(asPlain(after));
	const stopped = egressObject(broadcastId);
	await stopped.resume();
	expect(await state(stopped)).toBe("stopped");
	expect(await runDurableObjectAlarm(asPlain(stopped))).toBe(false);
});

test("an object whose broadcast ended while it was lost stops for good", async () => {
	const { broadcastId, router, destination, stub } = await liveObject();
	await replaceObject(asPlain(stub));
	await router.end("over");
	const after = egressObject(broadcastId);
	await after.resume();
	await expect.poll(() => state(after), PATIENCE).toBe("stopped");
	expect(await runDurableObjectAlarm(asPlain(after))).toBe(false);
	expect(destination.sessions).toHaveLength(1);
});

test("an object whose broadcast was never there stops for good", async () => {
	const stub = egressObject("egress-test-of-nothing");
	await stub.start(await config("egress-test-of-nothing"));
	await expect.poll(() => state(stub), PATIENCE).toBe("stopped");
	expect(await runDurableObjectAlarm(asPlain(stub))).toBe(false);
});

test("an object that waits for a program goes on doing so after it was replaced", async () => {
	const { broadcastId, router } = await openBroadcast();
	const stub = egressObject(broadcastId);
	await stub.start(await config(broadcastId));
	await replaceObject(asPlain(stub));
	const after = egressObject(broadcastId);
	await after.resume();
	expect(await state(after)).toBe("connecting");
	(await publishTo(router)).publish(START);
	await expect.poll(() => state(after), PATIENCE).toBe("retrying");
	await after.stop("test");
});

test("an object that was lost is woken by the Router, which sees its subscription break", async () => {
	const { broadcastId, router, destination, stub } = await liveObject();
	await router.plan(ON_AIR);
	await replaceObject(asPlain(stub));
	await expect.poll(() => destination.sessions.length, PATIENCE).toBe(2);
	await expect.poll(() => destination.received.some((name) => name.startsWith("key@")), PATIENCE).toBe(true);
	await egressObject(broadcastId).stop("test");
});

// --- the address at rest -------------------------------------------------------------------------------------------------------

const OPEN = (streamKey: string) => ({ ...NOBODY, streamKey });

async function storedText(stub: ReturnType<typeof egressObject>): Promise<string> {
	return await runInDurableObject(asPlain(stub), async (_egress, { storage }) =>
		JSON.stringify([...(await storage.list()).entries()]),
	);
}

test("nothing of the address is stored, and the object goes on with it after it was lost", async () => {
	const { broadcastId, destination, stub } = await liveObject();
	const stored = await storedText(stub);
	expect(stored).toContain("sealedAddress");
	expect(stored).not.toContain(KEY);
	expect(stored).not.toContain("127.0.0.1");
	await replaceObject(asPlain(stub));
	const after = egressObject(broadcastId);
	await after.resume();
	await expect.poll(() => destination.sessions.length, PATIENCE).toBe(2);
	await after.stop("test");
});

test("the same address sealed anew does not disturb the session, another one begins its own", async () => {
	const { broadcastId, destination, stub } = await liveObject();
	await stub.start(await config(broadcastId, OPEN(`${KEY}-${broadcastId}`)));
	expect(destination.session.endings).toEqual([]);
	await stub.start(await config(broadcastId, { url: "rtmp://127.0.0.1:1/live", streamKey: "another" }));
	await expect.poll(() => destination.session.endings, PATIENCE).toEqual(["the publisher ended the stream"]);
	await stub.stop("test");
});

test("an address sealed for another broadcast is refused, in words that say nothing of it", async () => {
	const { broadcastId } = await openBroadcast();
	const stub = egressObject(broadcastId);
	const { sealedAddress } = await config("another-broadcast");
	await stub.start({ ...(await config(broadcastId)), sealedAddress });
	const status = await stub.status();
	expect(status).toMatchObject({ state: "refused", lastError: expect.stringContaining("sealing: expected") });
	expect(JSON.stringify(status)).not.toContain(KEY);
	await stub.stop("test");
});

test("what an older version stored with its address open goes on, and is sealed", async () => {
	const { broadcastId, router } = await openBroadcast();
	const destination = new FakeDestination(systemClock);
	const streamKey = `${KEY}-${broadcastId}`;
	destinations.set(streamKey, destination);
	const stub = egressObject(broadcastId);
	const { sealedAddress: _, via: __, ...rest } = await config(broadcastId);
	await runInDurableObject(asPlain(stub), async (_egress, { storage }) => {
		await storage.put("egress", {
			config: { ...rest, ...OPEN(streamKey) },
			status: { state: "live", bytes: 1_000, reconnects: 2, droppedTags: 0, queueMs: 0, attempts: 0 },
			held: true,
			timeMs: 50_000,
			savedAtMs: Date.now(),
		});
	});
	await replaceObject(asPlain(stub));
	const after = egressObject(broadcastId);
	(await publishTo(router)).publish(START);
	await after.resume();
	await expect.poll(() => state(after), PATIENCE).toBe("live");
	expect(destination.session.tags.at(-1)?.timestampMs).toBeGreaterThanOrEqual(50_000);
	const stored = await storedText(after);
	expect(stored).toContain("sealedAddress");
	expect(stored).not.toContain(streamKey);
	await after.stop("test");
});

test("what an older version stored of a destination that is over is sealed, too", async () => {
	const { broadcastId } = await openBroadcast();
	const stub = egressObject(broadcastId);
	const { sealedAddress: _, via: __, ...rest } = await config(broadcastId);
	const status = { state: "refused", bytes: 0, reconnects: 0, droppedTags: 0, queueMs: 0, attempts: 1 };
	await runInDurableObject(asPlain(stub), async (_egress, { storage }) => {
		await storage.put("egress", { config: { ...rest, ...NOBODY }, status, held: false, savedAtMs: 0 });
	});
	await replaceObject(asPlain(stub));
	expect(await state(egressObject(broadcastId))).toBe("refused");
	expect(await storedText(egressObject(broadcastId))).not.toContain(KEY);
});

// --- a test of the destination --------------------------------------------------------------------------------------------------

function testObject(broadcastId: string) {
	return env.EGRESS.getByName(`${broadcastId}/test-d`);
}

test("a destination is tested with two seconds of hold and a goodbye, one test at a time", async () => {
	const broadcastId = "egress-test-of-a-test";
	const streamKey = `${KEY}-${broadcastId}`;
	const destination = new FakeDestination(systemClock);
	destinations.set(streamKey, destination);
	const testing = testObject(broadcastId).testDestination(await config(broadcastId, OPEN(streamKey)));
	const second = await testObject(broadcastId).testDestination(await config(broadcastId, OPEN(streamKey)));
	expect(second).toMatchObject({ ok: false, error: expect.stringContaining("one test") });
	const report = await testing;
	expect(report).toMatchObject({ ok: true });
	// The line is in memory (see above), so that nothing is dialled.
	expect(report.steps.map(({ step }) => step)).toEqual(["handshake", "connect", "publish", "media", "end"]);
	expect(report.bytes).toBeGreaterThan(4 * 3_600);
	expect(destination.received.slice(0, 4)).toEqual(["metadata", "video-config@0", "audio-config@0", "key@0"]);
	expect(destination.session.endings).toEqual(["the publisher ended the stream"]);
});

test("a test says how far it came, and never the key", async () => {
	const broadcastId = "egress-test-of-a-failing-test";
	const report = await testObject(broadcastId).testDestination(await config(broadcastId));
	expect(report).toMatchObject({ ok: false, refused: false, steps: [], bytes: 0 });
	expect(report.error).toBeTypeOf("string");
	expect(JSON.stringify(report)).not.toContain(KEY);
});
