import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env as testEnv } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Env } from "../../worker/env.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { MEDIA_SUBPROTOCOL } from "../../worker/protocol/media-socket.ts";
import type { Router } from "../../worker/router/router.ts";
import {
	audioConfig,
	hevcKeyFrame,
	interFrame,
	keyFrame,
	message,
	sound,
	videoConfig,
} from "../unit/worker-media/wsflv-fixtures.ts";
import { MediaSocketPeer } from "./media-socket-peer.ts";
import { replaceObject } from "./replace-object.ts";

const env = testEnv as unknown as Env;
let routerCount = 0;

async function openRouter() {
	const broadcastId = `router-test-${++routerCount}`;
	const stub = env.ROUTER.get(env.ROUTER.idFromName(broadcastId));
	await stub.open({ broadcastId });
	return stub;
}

/** A stub to the object that takes this one's place. */
async function replaced(stub: Stub): Promise<Stub> {
	await replaceObject(stub as unknown as DurableObjectStub);
	return env.ROUTER.get(stub.id);
}

type Stub = Awaited<ReturnType<typeof openRouter>>;

function request(stub: Stub, path: string, headers: Record<string, string> = {}): Promise<Response> {
	return stub.fetch(`https://router${path}`, { headers: { Upgrade: "websocket", ...headers } });
}

async function connect(stub: Stub, path: string): Promise<MediaSocketPeer> {
	const { webSocket, status } = await request(stub, path);
	if (webSocket === null) {
		throw new Error(`test: expected a WebSocket, got status ${status}`);
	}
	return new MediaSocketPeer(webSocket);
}

const publishTo = (stub: Stub, stream = "host", query = "") => connect(stub, `/publish?stream=${stream}${query}`);
const subscribeTo = (stub: Stub, stream = "host", query = "") => connect(stub, `/subscribe?stream=${stream}${query}`);

const START = [videoConfig(0), audioConfig(0), keyFrame(0), sound(10), interFrame(40)];
const times = (peer: MediaSocketPeer) => peer.tags.map((tag) => tag.timestampMs);

test("a subscriber gets every tag, and a late joiner the configuration and the group of pictures so far", async () => {
	const stub = await openRouter();
	const early = await subscribeTo(stub);
	const publisher = await publishTo(stub);
	publisher.publish(START);
	expect(await early.waitForTags(5)).toEqual([videoConfig(0), audioConfig(0), keyFrame(0), sound(10), interFrame(40)]);
	const late = await subscribeTo(stub);
	expect(await late.waitForTags(5)).toEqual(early.tags);
	publisher.send([interFrame(80)]);
	expect((await late.waitForTags(6)).at(-1)).toEqual(interFrame(80));
	expect(late.messages[0]?.byteLength).toBe(13);
});

test("streams of one broadcast do not mix", async () => {
	const stub = await openRouter();
	const guest = await subscribeTo(stub, "guest");
	(await publishTo(stub, "host")).publish(START);
	(await publishTo(stub, "guest")).publish([videoConfig(7), keyFrame(7)]);
	expect(await guest.waitForTags(2)).toEqual([videoConfig(7), keyFrame(7)]);
});

test("a slow subscriber is skipped to a key frame while another gets every tag", async () => {
	const stub = await openRouter();
	const slow = await subscribeTo(stub, "host", "&ack=1");
	const fast = await subscribeTo(stub, "host", "&ack=1");
	const publisher = await publishTo(stub);
	publisher.publish([videoConfig(0)]);
	const mebibyte = 1024 * 1024;
	for (let frame = 0; frame < 12; frame++) {
		publisher.send([frame === 11 ? keyFrame(frame * 40) : interOrKey(frame, mebibyte)]);
		await fast.waitForTags(frame + 2);
		fast.acknowledge(frame + 2);
	}
	// Eight and a bit mebibytes are on the way to the slow one, and nothing more until it has taken them.
	expect(times(slow)).toEqual([0, 0, 40, 80, 120, 160, 200, 240, 280]);
	slow.acknowledge(9);
	publisher.send([interFrame(480), keyFrame(520)]);
	await slow.waitForTags(10);
	expect(times(slow).slice(9)).toEqual([520]);
	expect(await stub.stats()).toMatchObject({
		streams: [
			{
				stream: "host",
				publisherConnected: true,
				videoCodec: "avc",
				width: 1280,
				subscribers: [{ skippedTags: 5 }, {}],
			},
		],
	});
});

function interOrKey(frame: number, padding: number) {
	return frame === 0 ? keyFrame(0, 0, padding) : interFrame(frame * 40, 0, padding);
}

test("a newer publisher takes over, and subscribers see time go on", async () => {
	const stub = await openRouter();
	const subscriber = await subscribeTo(stub);
	const older = await publishTo(stub);
	older.publish([videoConfig(9_000), keyFrame(9_000), interFrame(9_040)]);
	await subscriber.waitForTags(3);
	const newer = await publishTo(stub);
	expect(await older.closed).toMatchObject({ code: CLOSE.takenOver.code });
	newer.publish([videoConfig(0), keyFrame(0), interFrame(40)]);
	await subscriber.waitForTags(5);
	expect(times(subscriber)).toEqual([9_000, 9_000, 9_040, 9_080, 9_120]);
});

test("a compositor with a lower fence is refused, before and after the object was replaced", async () => {
	const stub = await openRouter();
	const newer = await publishTo(stub, "program/main", "&fence=2");
	newer.publish(START);
	const older = await publishTo(stub, "program/main", "&fence=1");
	expect(await older.closed).toEqual({
		code: CLOSE.takenOver.code,
		reason: "publisher: expected fence 2 or higher, got 1",
	});
	const after = await replaced(stub);
	const again = await publishTo(after, "program/main", "&fence=1");
	expect(await again.closed).toMatchObject({ code: CLOSE.takenOver.code });
	const subscriber = await subscribeTo(after, "program/main");
	(await publishTo(after, "program/main", "&fence=2")).publish(START);
	expect(await subscriber.waitForTags(5)).toEqual(START);
});

test.each([
	["garbage", new Uint8Array(20), CLOSE.badMedia.code, "expected tag type"],
	["text", "hello", CLOSE.badMedia.code, "got text"],
	["HEVC", message(hevcKeyFrame(0)), CLOSE.badMedia.code, "HEVC"],
] as const)("closes a publisher of %s with the reason, and disturbs nobody else", async (_name, data, code, reason) => {
	const stub = await openRouter();
	const subscriber = await subscribeTo(stub, "guest");
	const guest = await publishTo(stub, "guest");
	const bad = await publishTo(stub, "host");
	bad.socket.send(data);
	expect(await bad.closed).toEqual({ code, reason: expect.stringContaining(reason) });
	guest.publish(START);
	await subscriber.waitForTags(5);
});

test("closes a subscriber that acknowledges what it never got", async () => {
	const stub = await openRouter();
	const subscriber = await subscribeTo(stub, "host", "&ack=1");
	subscriber.acknowledge(5);
	expect(await subscriber.closed).toEqual({
		code: CLOSE.badMedia.code,
		reason: "ack: expected at most 0 tags, got 5",
	});
});

test.each([
	["no upgrade", "/publish?stream=host", { Upgrade: "" }, 426],
	["an unknown stream", "/publish?stream=nobody", {}, 404],
	["an unknown path", "/watch?stream=host", {}, 404],
	["a fence that is none", "/publish?stream=program/main&fence=x", {}, 404],
])("answers %s without a socket", async (_name, path, headers, status) => {
	const response = await request(await openRouter(), path, headers);
	expect(response.status).toBe(status);
	await response.text();
});

test("takes the media subprotocol when it is offered", async () => {
	const offered = { "Sec-WebSocket-Protocol": `${MEDIA_SUBPROTOCOL}, bearer.x` };
	const response = await request(await openRouter(), "/subscribe?stream=host", offered);
	expect(response.headers.get("Sec-WebSocket-Protocol")).toBe(MEDIA_SUBPROTOCOL);
	response.webSocket?.accept();
	response.webSocket?.close();
});

test("a seventeenth subscriber that does not acknowledge is turned away", async () => {
	const stub = await openRouter();
	for (let count = 0; count < 16; count++) {
		await subscribeTo(stub);
	}
	const response = await request(stub, "/subscribe?stream=host");
	expect(response.status).toBe(503);
	await response.text();
	const leaver = await subscribeTo(stub, "host", "&ack=1");
	expect(leaver.socket.readyState).toBe(WebSocket.OPEN);
});

test("a subscriber that leaves makes room", async () => {
	const stub = await openRouter();
	const subscriber = await subscribeTo(stub);
	subscriber.socket.close(1000);
	await expect.poll(async () => (await stub.stats()).streams[0]?.subscribers.length, { timeout: 10_000 }).toBe(0);
});

test("ending closes everyone for good, and an eviction does not forget it", async () => {
	const stub = await openRouter();
	const publisher = await publishTo(stub);
	const subscriber = await subscribeTo(stub);
	await stub.end("the broadcast has ended");
	await stub.end("again");
	const ended = { code: CLOSE.ended.code, reason: "the broadcast has ended" };
	expect(await publisher.closed).toEqual(ended);
	expect(await subscriber.closed).toEqual(ended);
	expect(await (await publishTo(stub)).closed).toEqual(ended);
	await evictDurableObject(stub);
	expect(await (await publishTo(stub)).closed).toEqual(ended);
	expect(await (await subscribeTo(stub)).closed).toEqual(ended);
});

test("a router that was never opened takes nobody", async () => {
	const stub = env.ROUTER.get(env.ROUTER.idFromName("router-test-never-opened"));
	expect(await (await publishTo(stub)).closed).toMatchObject({ code: CLOSE.ended.code });
});

test("works on after the object was replaced: clients connect again and media flows", async () => {
	const stub = await openRouter();
	const before = await publishTo(stub);
	const lost = await subscribeTo(stub);
	before.publish(START);
	await lost.waitForTags(5);
	const after = await replaced(stub);
	const subscriber = await subscribeTo(after);
	(await publishTo(after)).publish(START);
	expect(await subscriber.waitForTags(5)).toEqual(START);
});

test("an alarm finds a stream that was live when the object was replaced, and whose publisher stayed away", async () => {
	const stub = await openRouter();
	const subscriber = await subscribeTo(stub);
	(await publishTo(stub)).publish(START);
	await subscriber.waitForTags(5);
	const live = (of: Stub) =>
		runInDurableObject(of as unknown as DurableObjectStub<Router>, async (_router, state) => {
			return (await state.storage.get<{ live: string[] }>("router"))?.live;
		});
	await expect.poll(() => live(stub), { timeout: 10_000 }).toEqual(["host"]);
	const after = await replaced(stub);
	expect(await live(after)).toEqual(["host"]);
	const deadlineMs = Date.now() + 20_000;
	while ((await live(after))?.length !== 0 && Date.now() < deadlineMs) {
		await runDurableObjectAlarm(after);
		await new Promise((resolve) => setTimeout(resolve, 200));
	}
	expect(await live(after)).toEqual([]);
});
