import { beforeEach, describe, expect, test } from "vitest";
import type { Cast } from "../../../../compositor-page/people/cast.ts";
import type { TapTicket, ToPeers } from "../../../../compositor-page/real-time/peer-messages.ts";
import { RealTimeFeeds } from "../../../../compositor-page/real-time/real-time-feeds.ts";
import { StandInFrames } from "../../../../compositor-page/real-time/stand-in-frames.ts";
import type { EncodedFrame } from "../../../../media/encoded-frame.ts";
import { FakeTransformer } from "./fake-transformer.ts";

const SSRC = 5;
let nowUs: number;
let said: unknown[];
let toPeers: ToPeers[];
let pushed: { id: string; frame: EncodedFrame; clock: string }[];
let replaced: string[];
let connected: Record<string, boolean>;
let feeds: RealTimeFeeds;

beforeEach(() => {
	nowUs = 1e6;
	said = [];
	toPeers = [];
	pushed = [];
	replaced = [];
	connected = {};
	const cast = {
		pushRealTime: (id: string, frame: EncodedFrame, _arrivalUs: number, clock: string) =>
			pushed.push({ id, frame, clock }),
		setRealTimeConnected: (id: string, isConnected: boolean) => {
			connected[id] = isConnected;
		},
		realTimeReplaced: (id: string) => replaced.push(id),
		legOf: () => "real-time",
	};
	feeds = new RealTimeFeeds({
		standIns: new StandInFrames(),
		cast: () => cast as unknown as Cast,
		toPeers: (message) => toPeers.push(message),
		signal: (to, connection, signal) => said.push({ to, connection, ...signal }),
		onMedia: (people) => said.push({ media: people.join() }),
		onProblem: (reason) => said.push({ problem: reason }),
		nowUs: () => nowUs,
	});
});

function offer(connection: string, complete = false): void {
	feeds.takeSignal({
		...{ type: "signal", from: "host", connection },
		signal: { kind: "description", type: "offer", sdp: "v=0", ...(complete ? { complete } : {}) },
	});
}

function inCall(...connections: string[]): void {
	const peers = connections.map((connection) => ({ id: "host", connection, realTime: true }) as const);
	feeds.takeCall({ type: "call", self: { id: "compositor", connection: "c", realTime: true }, peers, iceServers: [] });
}

function attach(connection: string, track: TapTicket["track"] = "video"): FakeTransformer {
	const transformer = new FakeTransformer();
	feeds.attach(transformer, { person: "host", connection, track });
	return transformer;
}

const picture = (index: number, type: "key" | "delta" = "delta") => ({
	...({ kind: "video", type, data: Uint8Array.of(1, 2, 3), mimeType: "video/VP8" } as const),
	metadata: { synchronizationSource: SSRC, rtpTimestamp: index * 3_000, captureTime: index * 33 },
});
const sound = (index: number) => ({
	...({ kind: "audio", data: Uint8Array.of(9), mimeType: "audio/opus" } as const),
	metadata: { synchronizationSource: 6, rtpTimestamp: index * 960, sequenceNumber: index, captureTime: index * 20 },
});
const closed = () => toPeers.flatMap((message) => (message.type === "close" ? [message.connection] : []));

describe("a person's connection", () => {
	test("is made by an offer, heard from its first frame on, and said to the Broadcast while it flows", async () => {
		inCall("one");
		offer("one");
		expect(toPeers.at(-1)).toMatchObject({ type: "signal", person: "host", connection: "one" });
		await attach("one").bring(picture(0, "key"));
		expect(pushed).toMatchObject([{ id: "host", clock: "capture", frame: { track: "video", keyFrame: true } }]);
		feeds.tick();
		expect(said).toEqual([{ media: "host" }]);
		nowUs += 2_100_000;
		feeds.tick();
		feeds.tick();
		expect(said).toEqual([{ media: "host" }, { media: "" }]);
		feeds.sayAgain();
		expect(said).toHaveLength(3);
	});

	test("is let go by a goodbye, by leaving the call, and with the assignment", () => {
		offer("one");
		feeds.takeSignal({ type: "signal", from: "host", connection: "one", signal: { kind: "bye", reason: "" } });
		offer("two");
		inCall();
		offer("three");
		feeds.close();
		feeds.close();
		expect(closed()).toEqual(["one", "two", "three"]);
	});

	test("takes no frames of one that was never offered", async () => {
		await attach("stranger").bring(picture(0, "key"));
		expect(pushed).toEqual([]);
	});

	test("is heard until a newer one of the same person brings a key frame, which then has its place", async () => {
		inCall("one");
		offer("one");
		const one = attach("one");
		await one.bring(picture(0, "key"));
		inCall("two");
		offer("two");
		const two = attach("two");
		await two.bring(picture(50));
		await one.bring(picture(1));
		expect([pushed.length, replaced, closed()]).toEqual([2, [], []]);
		await two.bring(picture(51, "key"));
		expect([pushed.length, replaced, closed()]).toEqual([3, ["host"], ["one"]]);
		await one.bring(picture(2));
		expect(pushed).toHaveLength(3);
	});

	test("gives way to a newer one without a picture, after a second, or once nothing comes by the older", async () => {
		for (const isOlderAlive of [true, false]) {
			offer(`old-${isOlderAlive}`);
			const old = attach(`old-${isOlderAlive}`, "audio");
			offer(`new-${isOlderAlive}`);
			const newer = attach(`new-${isOlderAlive}`, "audio");
			const from = nowUs;
			const isHeard = () => closed().includes(`old-${isOlderAlive}`);
			for (let index = 1; !isHeard() && nowUs - from < 5e6; index += 1) {
				nowUs += 20_000;
				if (isOlderAlive || index < 5) {
					await old.bring(sound(index));
				}
				await newer.bring(sound(index + 7_000));
			}
			const tookUs = nowUs - from;
			expect(tookUs).toBeGreaterThan(isOlderAlive ? 1e6 : 5e5);
			expect(tookUs).toBeLessThan(isOlderAlive ? 1.1e6 : 7e5);
			inCall();
		}
	});

	test("is let go 5 s after a newer one took its place in the call, though that never flows", () => {
		offer("one");
		offer("two");
		inCall("two");
		nowUs += 4_900_000;
		feeds.tick();
		expect(closed()).toEqual([]);
		nowUs += 200_000;
		feeds.tick();
		expect(closed()).toEqual(["one"]);
	});

	test("tells how it is: connected or not, and by what it comes", async () => {
		offer("one", true);
		await attach("one").bring(picture(0, "key"));
		feeds.fromPeers({ type: "peer-state", connection: "one", connected: true });
		expect(connected.host).toBe(true);
		const figures = { state: "connected", lossRatio: 0, jitterMs: 1, bitrateBps: 5, relayed: false } as const;
		feeds.fromPeers({ type: "peer-figures", connection: "one", figures });
		expect(feeds.figuresOf("host")).toEqual({ leg: "whip", realTime: { ...figures, keyFrameRequests: 0 } });
		feeds.fromPeers({ type: "peer-gone", connection: "one" });
		expect(connected.host).toBe(false);
		expect(feeds.figuresOf("host")).toEqual({ leg: "real-time" });
	});
});

describe("advice", () => {
	const said5s = (advice: object) =>
		said.filter((each) => JSON.stringify(each).includes(JSON.stringify({ advice }).slice(1, -1)));

	test("is said on each change, and each 5 s while something is wrong", () => {
		offer("one");
		const advice = { maxFrameRate: 20, reason: "slow" };
		feeds.advise("host", advice);
		for (let second = 0; second < 11; second += 1) {
			nowUs += 1e6;
			feeds.tick();
		}
		expect(said5s(advice)).toHaveLength(3);
		feeds.advise("host", {});
		nowUs += 2e7;
		feeds.tick();
		expect(said5s({})).toHaveLength(1);
	});

	test("is said again to a connection that has just come about", () => {
		feeds.advise("host", { maxHeight: 360 });
		expect(said).toEqual([]);
		offer("one");
		feeds.fromPeers({ type: "peer-state", connection: "one", connected: true });
		expect(said).toMatchObject([{ to: "host", connection: "one", kind: "rate", advice: { maxHeight: 360 } }]);
	});
});
