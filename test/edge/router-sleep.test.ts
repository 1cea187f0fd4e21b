import { env as testEnv } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Broadcast } from "../../worker/broadcast/broadcast.ts";
import type { Env } from "../../worker/env.ts";
import { publisherAckSchema } from "../../worker/protocol/media-socket.ts";
import type { ProgramChange, ProgramPlan, StreamChange } from "../../worker/protocol/object-rpc.ts";
import { Router } from "../../worker/router/router.ts";
import { keyFrame, videoConfig } from "../unit/worker-media/wsflv-fixtures.ts";
import { create, openSocket } from "./api-client.ts";
import { MediaSocketPeer } from "./media-socket-peer.ts";
import { PacedPublisher } from "./paced-publisher.ts";
import { replaceObject } from "./replace-object.ts";
import { SleepingPublisher } from "./sleeping-publisher.ts";

const env = testEnv as unknown as Env;
const PATIENCE = { timeout: 15_000 };
const LEGS_EVERY_MS = 500;
let routerCount = 0;

/** What the Router's Broadcast would do is another test's matter: here it is heard only. */
const heard = {
	streams: vi.fn<(change: StreamChange) => void>(),
	sources: vi.fn<(change: ProgramChange) => void>(),
};
let own = "";

function isOwn(object: Broadcast): boolean {
	return own === (object as unknown as { readonly ctx: DurableObjectState }).ctx.id.toString();
}

function listen<Change>(said: (change: Change) => void) {
	return async function (this: Broadcast, change: Change): Promise<void> {
		if (isOwn(this)) {
			said(change);
		}
	};
}

vi.spyOn(Broadcast.prototype, "streamChanged").mockImplementation(listen(heard.streams));
vi.spyOn(Broadcast.prototype, "programChanged").mockImplementation(listen(heard.sources));
vi.spyOn(Broadcast.prototype, "routerRestarted").mockResolvedValue();
vi.spyOn(Broadcast.prototype, "holdExpired").mockResolvedValue();

beforeEach(() => {
	heard.streams.mockReset();
	heard.sources.mockReset();
});

const stops: (() => void)[] = [];
afterEach(() => {
	for (const stop of stops.splice(0)) {
		stop();
	}
});

const sourcesHeard = () => heard.sources.mock.calls.map(([{ source }]) => source);

const COMPOSED: ProgramPlan = {
	onAir: true,
	prefers: "composite",
	width: 1280,
	height: 720,
	allowsBFrames: false,
	minFence: 0,
	holdSeconds: 120,
};

async function openRouter(plan: ProgramPlan = COMPOSED) {
	const broadcastId = `router-sleep-${++routerCount}`;
	own = env.BROADCAST.idFromName(broadcastId).toString();
	const stub = env.ROUTER.get(env.ROUTER.idFromName(broadcastId));
	await stub.open({ broadcastId });
	await stub.plan(plan);
	return stub;
}

type Stub = Awaited<ReturnType<typeof openRouter>>;

async function connect(stub: Stub, path: string): Promise<MediaSocketPeer> {
	const { webSocket, status } = await stub.fetch(`https://router${path}`, { headers: { Upgrade: "websocket" } });
	if (webSocket === null) {
		throw new Error(`test: expected a WebSocket, got status ${status}`);
	}
	return new MediaSocketPeer(webSocket);
}

async function hostTo(stub: Stub, captureBaseMs?: number): Promise<SleepingPublisher> {
	const peer = await connect(stub, "/publish?stream=host&sleeps=1&session=s");
	const host = new SleepingPublisher(peer, captureBaseMs);
	stops.push(() => host.stop());
	return host;
}

/** A compositor that has the host by another leg, and says so. */
async function compositeTo(stub: Stub, host: { readonly lastMs: number }, fence = 1) {
	const composite = new PacedPublisher(await connect(stub, `/publish?stream=composite/main&fence=${fence}`), {
		isComposite: true,
	});
	composite.shows = () => host.lastMs;
	const legs = { realTime: ["host"] };
	const say = () => {
		composite.peer.socket.send(JSON.stringify({ type: "legs", ...legs }));
	};
	say();
	const timer = setInterval(say, LEGS_EVERY_MS);
	const stop = () => {
		clearInterval(timer);
		composite.stop();
	};
	stops.push(stop);
	composite.peer.socket.addEventListener("close", stop);
	return { peer: composite.peer, legs, say, stop };
}

/** A subscriber that takes what it gets, with the text it is told between the tags. */
async function subscribeTo(stub: Stub, stream: string, query: string) {
	const peer = await connect(stub, `/subscribe?stream=${stream}${query}`);
	const texts: { type: string; tagMs?: number; captureMs?: number }[] = [];
	peer.socket.addEventListener("message", ({ data }) => {
		if (typeof data === "string") {
			texts.push(JSON.parse(data));
		}
	});
	const timer = setInterval(() => peer.acknowledge(peer.tags.length), 100);
	stops.push(() => clearInterval(timer));
	return { peer, texts };
}

const videoTimes = (peer: MediaSocketPeer) =>
	peer.tags.filter(({ type, body }) => type === 9 && body[1] === 1).map(({ timestampMs }) => timestampMs);

function expectRising(peer: MediaSocketPeer): void {
	const times = videoTimes(peer);
	expect(times.length).toBeGreaterThan(10);
	expect(times.every((ms, at) => at === 0 || ms > (times[at - 1] ?? ms))).toBe(true);
}

test("a publisher is told how much of what it sends has come, from nothing again after the object was lost", async () => {
	const stub = await openRouter();
	const publish = async (to: Stub, count: number) => {
		const peer = await connect(to, "/publish?stream=guest&session=s&ack=1");
		const told: number[] = [];
		peer.socket.addEventListener("message", ({ data }) => {
			told.push(publisherAckSchema.parse(JSON.parse(String(data))).messages);
		});
		peer.publish([videoConfig(0), ...Array.from({ length: count }, (_, at) => keyFrame(at * 40))]);
		// The header, too, is a message.
		await expect.poll(() => told.at(-1), PATIENCE).toBe(count + 2);
		expect(told).toEqual(told.toSorted((a, b) => a - b));
	};
	await publish(stub, 12);
	await replaceObject(stub as unknown as DurableObjectStub);
	await publish(env.ROUTER.get(stub.id), 3);
});

/** By turns, beginning with sleep: a busy machine may have woken it in between, which shows in nothing else. */
function expectTurns({ told }: SleepingPublisher): void {
	expect(told).toEqual(told.map((_, at) => (at % 2 === 0 ? "sleep" : "wake")));
}

/** The composite is the program, and the host sleeps. */
async function asleep() {
	const stub = await openRouter();
	const program = await subscribeTo(stub, "program/main", "");
	const host = await hostTo(stub);
	const composite = await compositeTo(stub, host);
	await expect.poll(() => host.asleep, PATIENCE).toBe(true);
	return { stub, program, host, composite };
}

test("a host's stream sleeps while the composite is the program, is connected and live, and is woken and on air when the guest leaves", async () => {
	const { stub, program, host } = await asleep();
	const late = await subscribeTo(stub, "host", "&ack=1");
	const player = await subscribeTo(stub, "host", "");
	await expect.poll(() => late.texts.map(({ type }) => type), PATIENCE).toContain("asleep");
	const { streams } = await stub.stats();
	expect(streams.find(({ stream }) => stream === "host")).toMatchObject({ publisherConnected: true, asleep: true });
	const atSleep = host.lastMs;
	await stub.plan({ ...COMPOSED, prefers: "host" });
	await expect.poll(() => host.told.at(-1), PATIENCE).toBe("wake");
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("host");
	const before = program.peer.tags.length;
	await program.peer.waitForTags(before + 10);
	expectRising(program.peer);
	expectTurns(host);
	expect((await stub.stats()).streams.find(({ stream }) => stream === "host")?.asleep).toBe(false);
	expect(heard.streams.mock.calls.map(([{ stream, state }]) => `${stream} ${state}`)).not.toContain("host idle");
	// Its own time went on: nothing was put where the pause was.
	const woken = videoTimes(late.peer).find((ms) => ms > atSleep);
	expect(woken).toBeGreaterThanOrEqual(atSleep);
	expect((woken ?? 0) % 40).toBe(0);
	expect(player.texts).toEqual([]);
});

test("acknowledging subscribers are told by which clock the host's stream was captured, late ones and those after a pause too", async () => {
	const stub = await openRouter();
	const early = await subscribeTo(stub, "host", "&ack=1");
	const player = await subscribeTo(stub, "host", "");
	const host = await hostTo(stub);
	await early.peer.waitForTags(6);
	const late = await subscribeTo(stub, "host", "&ack=1");
	await late.peer.waitForTags(6);
	for (const { texts } of [early, late]) {
		expect(texts).toEqual([{ type: "clock", tagMs: expect.any(Number), captureMs: expect.any(Number) }]);
		expect((texts[0]?.captureMs ?? 0) - (texts[0]?.tagMs ?? 0)).toBe(host.captureBaseMs);
	}
	// Another publisher, whose time begins elsewhere: the clock is its own, in the stream's time.
	const newer = new SleepingPublisher(await connect(stub, "/publish?stream=host&sleeps=1"), Date.now() - 400_000_000);
	stops.push(() => newer.stop());
	await expect.poll(() => early.texts.length, PATIENCE).toBe(2);
	await expect
		.poll(() => videoTimes(early.peer).at(-1) ?? 0, PATIENCE)
		.toBeGreaterThanOrEqual(early.texts[1]?.tagMs ?? 0);
	expect(videoTimes(early.peer)).toContain(early.texts[1]?.tagMs);
	expect(player.texts).toEqual([]);
});

test.each([
	[
		"the compositor's socket closes",
		async (_stub: Stub, composite: Composite) => {
			composite.stop();
			composite.peer.socket.close(1000);
		},
	],
	["the compositor's frames stop", async (_stub: Stub, composite: Composite) => composite.stop()],
	["another compositor is asked for", (stub: Stub) => stub.plan({ ...COMPOSED, minFence: 2 })],
])("the host is woken and on air when %s", async (_what, happen) => {
	const { stub, program, host, composite } = await asleep();
	await happen(stub, composite);
	await expect.poll(() => host.told.at(-1), PATIENCE).toBe("wake");
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("host");
	const before = program.peer.tags.length;
	await program.peer.waitForTags(before + 10);
	expectRising(program.peer);
	expect(host.asleep).toBe(false);
	expectTurns(host);
});

type Composite = Awaited<ReturnType<typeof compositeTo>>;

test("the host is woken when the compositor has them by the other leg no more, and sleeps again when it has", async () => {
	const { host, composite } = await asleep();
	composite.legs.realTime = [];
	composite.say();
	await expect.poll(() => host.asleep, PATIENCE).toBe(false);
	composite.legs.realTime = ["guest", "host"];
	await expect.poll(() => host.asleep, PATIENCE).toBe(true);
	expectTurns(host);
});

test("a host whose line breaks while it should sleep is told so again when it is back", async () => {
	const { stub, host } = await asleep();
	host.stop();
	host.peer.socket.close(1000);
	const again = await hostTo(stub, host.captureBaseMs);
	await expect.poll(() => again.asleep, PATIENCE).toBe(true);
	expectTurns(again);
});

test("a Router that is lost while the host sleeps has everyone awake, and lets them sleep when the composite is the program again", async () => {
	const { stub, host, composite } = await asleep();
	composite.stop();
	host.stop();
	await replaceObject(stub as unknown as DurableObjectStub);
	const after = env.ROUTER.get(stub.id);
	const program = await subscribeTo(after, "program/main", "");
	const hostAgain = await hostTo(after, host.captureBaseMs);
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("host");
	expect(hostAgain.told).toEqual([]);
	await compositeTo(after, hostAgain);
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("composite");
	await expect.poll(() => hostAgain.asleep, PATIENCE).toBe(true);
	expectTurns(hostAgain);
	expectRising(program.peer);
});

test("a host who is to wake while their line is gone begins awake when they are back", async () => {
	const { stub, host, composite } = await asleep();
	host.stop();
	host.peer.socket.close(1000);
	await stub.plan({ ...COMPOSED, prefers: "host" });
	const again = await hostTo(stub, host.captureBaseMs);
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("host");
	expect([again.told, again.asleep]).toEqual([[], false]);
	composite.stop();
});

test("a publisher that did not say it can sleep is never told to", async () => {
	const stub = await openRouter();
	const host = new PacedPublisher(await connect(stub, "/publish?stream=host"), { isComposite: false });
	stops.push(() => host.stop());
	const composite = await compositeTo(stub, host);
	await expect.poll(() => sourcesHeard().at(-1), PATIENCE).toBe("composite");
	await expect.poll(async () => (await stub.stats()).program.sinceMs, PATIENCE).toBeGreaterThan(1_500);
	composite.legs.realTime = [];
	composite.say();
	expect(host.requests).toEqual([]);
});

test("the API passes on that a publisher can sleep, and of no subscriber", async () => {
	const asked = vi.spyOn(Router.prototype, "fetch");
	const { id, tokens } = await create();
	for (const [query, expected] of [
		["direction=publish&sleeps=1", "1"],
		["direction=publish", null],
		["direction=subscribe&sleeps=1", null],
	] as const) {
		const { socket } = await openSocket(`/api/broadcasts/${id}/media/host?${query}`, { token: tokens.host });
		const url = new URL(asked.mock.calls.at(-1)?.[0].url ?? "");
		expect(url.searchParams.get("sleeps")).toBe(expected);
		socket.close(1000);
	}
	asked.mockRestore();
});
