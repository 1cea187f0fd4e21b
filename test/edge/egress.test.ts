import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env as testEnv } from "cloudflare:workers";
import { expect, test } from "vitest";
import { systemClock } from "../../worker/egress/clock.ts";
import type { Egress } from "../../worker/egress/egress.ts";
import { EgressSession } from "../../worker/egress/egress-session.ts";
import { RouterSubscription } from "../../worker/egress/router-subscription.ts";
import type { Env } from "../../worker/env.ts";
import type { EgressConfig, EgressStatus } from "../../worker/protocol/object-rpc.ts";
import { FakeDestination, type Manner } from "../unit/worker-media/fake-destination.ts";
import { audioConfig, interFrame, keyFrame, sound, videoConfig } from "../unit/worker-media/wsflv-fixtures.ts";
import { MediaSocketPeer } from "./media-socket-peer.ts";
import { replaceObject } from "./replace-object.ts";

const env = testEnv as unknown as Env;
const KEY = "s3cret-key";
const PATIENCE = { timeout: 15_000 };
let broadcastCount = 0;

/** Port 1 of this machine: nobody is there, and it says so at once. */
function config(broadcastId: string): EgressConfig {
	return {
		broadcastId,
		destinationId: "d",
		stream: "program/main",
		url: "rtmp://127.0.0.1:1/live",
		streamKey: KEY,
		width: 1280,
		height: 720,
		frameRate: 25,
		videoBitrateBps: 3_000_000,
		audioBitrateBps: 128_000,
	};
}

async function openBroadcast() {
	const broadcastId = `egress-test-${++broadcastCount}`;
	const router = env.ROUTER.get(env.ROUTER.idFromName(broadcastId));
	await router.open({ broadcastId });
	return { broadcastId, router };
}

type RouterStub = Awaited<ReturnType<typeof openBroadcast>>["router"];

async function mediaSocket(router: RouterStub, path: string): Promise<WebSocket> {
	const response = await router.fetch(`https://router${path}`, { headers: { Upgrade: "websocket" } });
	if (response.webSocket === null) {
		throw new Error(`test: expected a WebSocket, got status ${response.status}`);
	}
	return response.webSocket;
}

async function publishTo(router: RouterStub): Promise<MediaSocketPeer> {
	return new MediaSocketPeer(await mediaSocket(router, "/publish?stream=program/main&fence=1"));
}

/** A session on the Router's real socket, with destinations in memory, since workerd cannot listen. */
function egress(router: () => RouterStub, broadcastId: string, ...manners: Manner[]) {
	const destination = new FakeDestination(systemClock, ...manners);
	const session = new EgressSession(config(broadcastId), {
		dial: destination.dial,
		clock: systemClock,
		random: () => 0,
		onChange: () => {},
	});
	const subscription = new RouterSubscription({
		open: async (again) => {
			const socket = await mediaSocket(router(), `/subscribe?stream=program/main&ack=1&group=${again ? 0 : 1}`);
			socket.binaryType = "arraybuffer";
			socket.accept();
			return socket;
		},
		clock: systemClock,
		random: () => 0,
		onMessage: (message) => session.push(message),
		onOpen: () => session.resubscribed(),
		onEnded: () => void session.stop(),
	});
	session.start();
	const state = () => session.status().state;
	return { destination, session, subscription, state };
}

const START = [videoConfig(9_000), audioConfig(9_000), keyFrame(9_000), sound(9_010), interFrame(9_040)];

test("the Router's program reaches a destination, from metadata to goodbye", async () => {
	const { broadcastId, router } = await openBroadcast();
	const { destination, session, subscription } = egress(() => router, broadcastId);
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
	const { broadcastId, router } = await openBroadcast();
	const others = ([{ kind: "unreachable" }, { kind: "silent" }, { kind: "stuck-after", tags: 1 }] as const).map(
		(manner) => egress(() => router, broadcastId, manner),
	);
	const well = egress(() => router, broadcastId);
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
	const { destination, session, subscription } = egress(fresh, broadcastId);
	const publisher = await publishTo(router);
	publisher.publish(START);
	await expect.poll(() => destination.received.length, PATIENCE).toBe(6);
	await replaceObject(router as unknown as DurableObjectStub);
	await expect.poll(async () => (await fresh().stats()).streams[0]?.subscribers.length, PATIENCE).toBe(1);
	(await publishTo(fresh())).publish([videoConfig(0), audioConfig(0), keyFrame(0), interFrame(40)]);
	await expect.poll(() => destination.received.length, PATIENCE).toBe(8);
	expect(destination.received.slice(5)).toEqual(["inter@40", "key@80", "inter@120"]);
	expect(destination.sessions).toHaveLength(1);
	subscription.close();
	await session.stop();
});

test("ends when the Router says that the broadcast has", async () => {
	const { broadcastId, router } = await openBroadcast();
	const { destination, state } = egress(() => router, broadcastId);
	(await publishTo(router)).publish(START);
	await expect.poll(state, PATIENCE).toBe("live");
	await router.end("over");
	await expect.poll(state, PATIENCE).toBe("stopped");
	await expect.poll(() => destination.session.endings, PATIENCE).toEqual(["the publisher ended the stream"]);
});

// --- the Durable Object, on workerd's own sockets ------------------------------------------------------------------------------

function egressObject(broadcastId: string) {
	return env.EGRESS.get(env.EGRESS.idFromName(`${broadcastId}/d`));
}

async function state(stub: ReturnType<typeof egressObject>): Promise<EgressStatus["state"]> {
	return (await stub.status()).state;
}

test("the object waits for a program, tries a destination that is not there, and stops", async () => {
	const { broadcastId, router } = await openBroadcast();
	const stub = egressObject(broadcastId);
	expect(await state(stub)).toBe("stopped");
	await stub.start(config(broadcastId));
	await stub.start(config(broadcastId));
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
	expect(await runDurableObjectAlarm(stub as unknown as DurableObjectStub)).toBe(false);
});

test("the object refuses an address that is none, for good", async () => {
	const { broadcastId, router } = await openBroadcast();
	(await publishTo(router)).publish(START);
	const stub = egressObject(broadcastId);
	await stub.start({ ...config(broadcastId), url: "https://example.com/live" });
	await expect.poll(() => state(stub), PATIENCE).toBe("refused");
	await replaceObject(stub as unknown as DurableObjectStub);
	expect(await state(egressObject(broadcastId))).toBe("refused");
	const after = egressObject(broadcastId);
	await after.stop("test");
	expect(await state(after)).toBe("stopped");
});

test("the object goes on publishing after it was replaced", async () => {
	const { broadcastId, router } = await openBroadcast();
	const stub = egressObject(broadcastId);
	await stub.start(config(broadcastId));
	await runInDurableObject(stub as unknown as DurableObjectStub<Egress>, async (_egress, { storage }) => {
		expect(await storage.getAlarm()).toBeGreaterThan(Date.now());
	});
	await replaceObject(stub as unknown as DurableObjectStub);
	const after = egressObject(broadcastId);
	expect(await runDurableObjectAlarm(after as unknown as DurableObjectStub)).toBe(true);
	expect(await state(after)).toBe("connecting");
	(await publishTo(router)).publish(START);
	await expect.poll(() => state(after), PATIENCE).toBe("retrying");
	await after.stop("test");
	await replaceObject(after as unknown as DurableObjectStub);
	expect(await state(egressObject(broadcastId))).toBe("stopped");
});
