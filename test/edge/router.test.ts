import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env as testEnv } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Broadcast } from "../../worker/broadcast/broadcast.ts";
import { Egress } from "../../worker/egress/egress.ts";
import type { Env } from "../../worker/env.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { MEDIA_SUBPROTOCOL } from "../../worker/protocol/media-socket.ts";
import type { ProgramChange, ProgramPlan, StreamChange } from "../../worker/protocol/object-rpc.ts";
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
import { PacedPublisher } from "./paced-publisher.ts";
import { replaceObject } from "./replace-object.ts";

const env = testEnv as unknown as Env;
const PATIENCE = { timeout: 15_000 };
let routerCount = 0;

/** What the Router's Broadcast and Egress would do is another test's matter: here it is heard only. */
const heard = {
	streams: vi.fn<(change: StreamChange) => void>(),
	sources: vi.fn<(change: ProgramChange) => void>(),
	holdExpired: vi.fn<() => void>(),
	restarted: vi.fn<() => void>(),
	resumed: vi.fn<() => void>(),
};
/** Routers of earlier tests go on for a while, and are not listened to. */
const own = new Set<string>();

function isOwn(object: Broadcast | Egress): boolean {
	return own.has((object as unknown as { readonly ctx: DurableObjectState }).ctx.id.toString());
}

function listen<Change>(said: (change: Change) => void) {
	return async function (this: Broadcast | Egress, change: Change): Promise<void> {
		if (isOwn(this)) {
			said(change);
		}
	};
}

vi.spyOn(Broadcast.prototype, "streamChanged").mockImplementation(listen(heard.streams));
vi.spyOn(Broadcast.prototype, "programChanged").mockImplementation(listen(heard.sources));
vi.spyOn(Broadcast.prototype, "holdExpired").mockImplementation(listen<void>(() => heard.holdExpired()));
vi.spyOn(Broadcast.prototype, "routerRestarted").mockImplementation(listen<void>(() => heard.restarted()));
vi.spyOn(Egress.prototype, "resume").mockImplementation(listen<void>(() => heard.resumed()));

beforeEach(() => {
	own.clear();
	for (const each of Object.values(heard)) {
		each.mockReset();
	}
});

const paced: PacedPublisher[] = [];
afterEach(() => {
	for (const publisher of paced.splice(0)) {
		publisher.stop();
	}
});

const streamsHeard = () => heard.streams.mock.calls.map(([change]) => change);
const sourcesHeard = () => heard.sources.mock.calls.map(([{ source }]) => source);

async function openRouter() {
	const broadcastId = `router-test-${++routerCount}`;
	own.add(env.BROADCAST.idFromName(broadcastId).toString());
	for (const destinationId of ["d1", "d2"]) {
		own.add(env.EGRESS.idFromName(`${broadcastId}/${destinationId}`).toString());
	}
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

const ON_AIR: ProgramPlan = {
	onAir: true,
	prefers: "host",
	width: 1280,
	height: 720,
	allowsBFrames: false,
	minFence: 0,
	holdSeconds: 120,
};

/** A publisher at the clock's pace. */
async function paceTo(stub: Stub, stream: "host" | "composite/main" = "host", query = ""): Promise<PacedPublisher> {
	const publisher = new PacedPublisher(await publishTo(stub, stream, query), { isComposite: stream !== "host" });
	paced.push(publisher);
	return publisher;
}

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
	const newer = await publishTo(stub, "composite/main", "&fence=2");
	newer.publish(START);
	const older = await publishTo(stub, "composite/main", "&fence=1");
	expect(await older.closed).toEqual({
		code: CLOSE.takenOver.code,
		reason: "publisher: expected fence 2 or higher, got 1",
	});
	const after = await replaced(stub);
	const again = await publishTo(after, "composite/main", "&fence=1");
	expect(await again.closed).toMatchObject({ code: CLOSE.takenOver.code });
	const subscriber = await subscribeTo(after, "composite/main");
	(await publishTo(after, "composite/main", "&fence=2")).publish(START);
	expect(await subscriber.waitForTags(5)).toEqual(START);
});

test.each([
	["garbage", new Uint8Array(20), CLOSE.badMedia.code, "expected tag type"],
	["text", "hello", CLOSE.badMedia.code, "expected JSON, got other text"],
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
	await expect.poll(async () => (await stub.stats()).streams, PATIENCE).toEqual([]);
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

test("the program is the host's own media while the broadcast is on air, and nothing from before", async () => {
	const stub = await openRouter();
	const program = await subscribeTo(stub, "program/main");
	const host = await publishTo(stub);
	await stub.plan({ ...ON_AIR, onAir: false });
	host.publish([videoConfig(0), audioConfig(0), keyFrame(0, 1), sound(10, 1), interFrame(40, 2)]);
	await expect.poll(() => streamsHeard(), PATIENCE).toContainEqual(expect.objectContaining({ stream: "host" }));
	await stub.plan(ON_AIR);
	host.send([interFrame(80, 3), sound(90, 3), keyFrame(120, 4), interFrame(160, 5), sound(120, 5)]);
	const media = (await program.waitForTags(5)).filter(({ body }) => body[1] !== 0);
	expect(media.map(({ body }) => body.at(-1))).toEqual([4, 5, 5]);
	expect(media.map(({ timestampMs }) => timestampMs)).toEqual([0, 40, 0]);
	await expect.poll(sourcesHeard, PATIENCE).toEqual(["host"]);
	expect(await stub.stats()).toMatchObject({
		program: { source: "host", switches: 0 },
		streams: [{ stream: "host" }, { stream: "program/main", publisherConnected: true, videoCodec: "avc", width: 1280 }],
	});
	await stub.plan({ ...ON_AIR, onAir: false });
	host.send([keyFrame(200, 6)]);
	await expect.poll(async () => (await stub.stats()).program.source, PATIENCE).toBe("none");
	expect(program.tags).toHaveLength(5);
});

test("a host whose pictures are not the program's is reported unfit, and passed through once they are", async () => {
	const stub = await openRouter();
	await stub.plan(ON_AIR);
	const program = await subscribeTo(stub, "program/main");
	const host = await publishTo(stub);
	host.publish([videoConfig(0, "360p"), audioConfig(0), keyFrame(0, 1)]);
	const unfit = "host: expected pictures of 1280x720 to pass them through, got 640x360";
	await expect
		.poll(streamsHeard, PATIENCE)
		.toContainEqual({ stream: "host", state: "live", width: 640, height: 360, unfit });
	host.send([videoConfig(40), keyFrame(40, 2)]);
	const pictures = () => program.tags.filter(({ type, body }) => type === 9 && body[1] === 1);
	await expect.poll(() => pictures().map(({ body }) => body.at(-1))[0], PATIENCE).toBe(2);
	await expect.poll(() => streamsHeard().at(-1), PATIENCE).toEqual({ stream: "program/main", state: "live" });
	expect(streamsHeard()).toContainEqual({ stream: "host", state: "live", width: 1280, height: 720 });
});

test("a plan with another size makes a host unfit that was passed through, and says so", async () => {
	const stub = await openRouter();
	await stub.plan(ON_AIR);
	const program = await subscribeTo(stub, "program/main");
	const host = await paceTo(stub);
	await program.waitForTags(5);
	await stub.plan({ ...ON_AIR, width: 1920, height: 1080 });
	await expect
		.poll(streamsHeard, PATIENCE)
		.toContainEqual(expect.objectContaining({ unfit: expect.stringContaining("1920x1080") }));
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("hold");
	host.stop();
});

test("a plan's lowest fence closes an older compositor, and refuses it when it comes back", async () => {
	const stub = await openRouter();
	await stub.plan(ON_AIR);
	const older = await publishTo(stub, "composite/main", "&fence=1");
	older.publish(START);
	await expect.poll(streamsHeard, PATIENCE).toContainEqual(expect.objectContaining({ fence: 1, state: "live" }));
	await stub.plan({ ...ON_AIR, minFence: 2 });
	const reason = "compositor: expected fence 2 or higher";
	expect(await older.closed).toEqual({ code: CLOSE.takenOver.code, reason });
	expect(await (await publishTo(stub, "composite/main", "&fence=1")).closed).toMatchObject({
		code: CLOSE.takenOver.code,
	});
	const newer = await paceTo(stub, "composite/main", "&fence=2");
	await stub.plan({ ...ON_AIR, minFence: 2 });
	await expect.poll(streamsHeard, PATIENCE).toContainEqual(expect.objectContaining({ fence: 2, state: "live" }));
	expect(newer.peer.socket.readyState).toBe(WebSocket.OPEN);
});

test("asks the compositor for a key frame, and hands over to it there without a break", async () => {
	const stub = await openRouter();
	await stub.plan(ON_AIR);
	const program = await subscribeTo(stub, "program/main");
	const host = await paceTo(stub);
	await program.waitForTags(5);
	const composite = await paceTo(stub, "composite/main", "&fence=1");
	composite.shows = () => host.lastMs;
	await stub.plan({ ...ON_AIR, prefers: "composite" });
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("composite");
	const [request] = composite.requests;
	expect(request).toEqual({ type: "key-frame", afterHostMs: expect.any(Number) });
	const before = program.tags.length;
	await program.waitForTags(before + 10);
	const video = program.tags.filter(({ type, body }) => type === 9 && body[1] === 1);
	expect(video.slice(1).every(({ timestampMs }, at) => timestampMs > (video[at]?.timestampMs ?? 0))).toBe(true);
	expect(video.slice(-5).every(({ body }) => body.at(-1) === PacedPublisher.COMPOSITE_MARK)).toBe(true);
	await stub.plan(ON_AIR);
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("host");
});

test("a compositor whose frames stop is let go and reported, with its fence, and the host stands in for it", async () => {
	const stub = await openRouter();
	await stub.plan({ ...ON_AIR, prefers: "composite" });
	const composite = await paceTo(stub, "composite/main", "&fence=3");
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("composite");
	await paceTo(stub);
	await expect.poll(streamsHeard, PATIENCE).toContainEqual(expect.objectContaining({ stream: "host" }));
	composite.stop();
	expect(await composite.peer.closed).toMatchObject({ code: CLOSE.stalled.code });
	await expect.poll(streamsHeard, PATIENCE).toContainEqual({ stream: "composite/main", state: "idle", fence: 3 });
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("host");
});

test("holds when the publisher has left, and says when that has lasted too long", async () => {
	const stub = await openRouter();
	await stub.plan({ ...ON_AIR, holdSeconds: 1 });
	const program = await subscribeTo(stub, "program/main");
	const host = await paceTo(stub);
	await program.waitForTags(5);
	host.stop();
	host.peer.socket.close(1000);
	await expect.poll(() => heard.holdExpired.mock.calls.length, PATIENCE).toBe(1);
	expect(sourcesHeard().at(-1)).toBe("hold");
	const { program: figures } = await stub.stats();
	expect(figures).toMatchObject({ source: "hold", switches: 1 });
	expect(figures.heldMs).toBeGreaterThanOrEqual(1_000);
	const before = program.tags.length;
	await program.waitForTags(before + 20);
	const held = program.tags.slice(before).filter(({ type }) => type === 9);
	expect(held.every(({ body }) => body[0] === 0x17 && body[1] === 1)).toBe(true);
	expect(heard.holdExpired.mock.calls).toHaveLength(1);
});

test("a program that was lost in mid-stream goes on for those who come back, and its Broadcast is told", async () => {
	const stub = await openRouter();
	await stub.plan(ON_AIR);
	const lost = await subscribeTo(stub, "program/main");
	const host = await paceTo(stub);
	await lost.waitForTags(5);
	host.stop();
	const after = await replaced(stub);
	expect((await after.stats()).program.source).toBe("none");
	const program = await subscribeTo(after, "program/main");
	await expect.poll(() => heard.restarted.mock.calls.length, PATIENCE).toBe(1);
	await paceTo(after);
	const [config, first] = (await program.waitForTags(5)).filter(({ type }) => type === 9);
	expect([config?.body[1], first?.body[0], first?.body[1]]).toEqual([0, 0x17, 1]);
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("host");
	expect((await after.stats()).program.source).toBe("host");
});

test("a hold that was lost is held on with the same picture, and lasts no longer for it", async () => {
	const stub = await openRouter();
	await stub.plan({ ...ON_AIR, holdSeconds: 4 });
	const host = await publishTo(stub);
	const before = await subscribeTo(stub, "program/main");
	host.publish([videoConfig(0), audioConfig(0), keyFrame(0, 77), interFrame(40, 78)]);
	await before.waitForTags(3);
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("hold");
	const heldMs = Date.now();
	await runInDurableObject(stub as unknown as DurableObjectStub<Router>, (_router, state) => state.storage.sync());
	const after = await replaced(stub);
	// A socket that is opened to an object on its way out is lost with it.
	expect((await after.stats()).program.source).toBe("hold");
	const program = await subscribeTo(after, "program/main");
	await expect.poll(() => program.tags.filter(({ type }) => type === 9).length, PATIENCE).toBeGreaterThanOrEqual(3);
	const pictures = program.tags.filter(({ type, body }) => type === 9 && body[1] === 1);
	expect(pictures.every(({ body }) => body[0] === 0x17 && body.at(-1) === 77)).toBe(true);
	expect((await after.stats()).program.source).toBe("hold");
	await expect.poll(() => heard.holdExpired.mock.calls.length, PATIENCE).toBe(1);
	expect(Date.now() - heldMs).toBeLessThan(6_000);
});

test("an ended program holds nothing and tells nobody, also after the object was replaced", async () => {
	const stub = await openRouter();
	await stub.plan(ON_AIR);
	const program = await subscribeTo(stub, "program/main");
	const host = await publishTo(stub);
	host.publish(START);
	await program.waitForTags(3);
	await stub.end("over");
	expect(await program.closed).toMatchObject({ code: CLOSE.ended.code });
	const after = await replaced(stub);
	await after.plan(ON_AIR);
	expect((await after.stats()).program.source).toBe("none");
	expect(heard.restarted).not.toHaveBeenCalled();
});

test("wakes the destination whose subscription has broken, while the program is on air only", async () => {
	const stub = await openRouter();
	const unplanned = await subscribeTo(stub, "program/main", "&ack=1&egress=d1");
	unplanned.socket.close(1000);
	await stub.plan(ON_AIR);
	const egress = await subscribeTo(stub, "program/main", "&ack=1&egress=d2");
	const other = await subscribeTo(stub, "program/main", "&ack=1");
	egress.socket.close(1000);
	other.socket.close(1000);
	await expect.poll(() => heard.resumed.mock.calls.length, PATIENCE).toBeGreaterThanOrEqual(1);
});
