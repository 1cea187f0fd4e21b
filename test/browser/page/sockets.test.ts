import { afterEach, describe, expect, test } from "vitest";
import { FlvFrameReader } from "../../../media/flv/frame-reader.ts";
import { FlvFrameWriter } from "../../../media/flv/frame-writer.ts";
import { type TagKind, tagKind } from "../../../media/flv/tag-kind.ts";
import { flvHeader, flvTagBytes, isFlvHeader, readSingleTag } from "../../../media/flv/tag-writer.ts";
import { CLOSE } from "../../../worker/protocol/close-codes.ts";
import { controlRequestSchema } from "../../../worker/protocol/control-messages.ts";
import { ACK_EVERY_TAGS, compositeShowsSchema, mediaAckSchema } from "../../../worker/protocol/media-socket.ts";
import { MAIN_COMPOSITE_STREAM } from "../../../worker/protocol/roles.ts";
import { useBrowser } from "../../support/browser/use-browser.ts";
import { type EdgeConnection, FakeEdge } from "./fake-edge.ts";
import { FROM, HOST_AHEAD_MS, type Published } from "./sockets-in-worker.ts";
import { STATS } from "./stats-example.ts";

const MODULE = new URL("./sockets-in-worker.ts", import.meta.url);
/** Longer than the first retry's longest wait. */
const PAST_FIRST_RETRY_MS = 300;

const browser = useBrowser();
let edge: FakeEdge | undefined;
afterEach(async () => {
	await edge?.close();
});

async function open(handlers: Parameters<typeof FakeEdge.open>[0]): Promise<FakeEdge> {
	edge = await FakeEdge.open(handlers);
	return edge;
}

/** Tags `from` to `to` of a stream of small frames at 30 a second, the first of it with a configuration. */
function tags(from: number, to: number): Uint8Array[] {
	const writer = new FlvFrameWriter();
	return Array.from({ length: to - from }, (_, index) => index + from).flatMap((number) => {
		const ptsUs = number * 40_000;
		const keyFrame = number % 10 === 0;
		const frame = { track: "video", codec: "vp8", keyFrame, ptsUs, dtsUs: ptsUs, data: new Uint8Array(9) } as const;
		return writer.push(frame).map(flvTagBytes);
	});
}

describe("MediaSubscription", () => {
	function subscribe(frames: number, afterwardsMs: number): Promise<string[]> {
		return browser.run<string[]>(MODULE, "subscribe", [edge?.origin, frames, afterwardsMs]);
	}
	const frameEvents = (from: number, to: number) =>
		Array.from({ length: to - from }, (_, index) => index + from).map(
			(number) => `video ${number % 10 === 0 ? "key" : "inter"} 9 at ${number * 40_000} of 5000`,
		);
	const acksOf = ({ messages }: EdgeConnection) =>
		messages.map((message) => mediaAckSchema.parse(JSON.parse(String(message))).tags);

	test("asks for its stream with its token, passes on every frame, and acknowledges all it took", async () => {
		const { connections } = await open({
			onConnection: ({ socket }) => {
				for (const message of [flvHeader(), ...tags(0, 40)]) {
					socket.send(message);
				}
				socket.send("a text message of a newer edge");
			},
		});
		const events = await subscribe(40, 200);
		expect(connections).toHaveLength(1);
		const [connection] = connections as [EdgeConnection];
		expect(connection.path).toBe("/api/broadcasts/b1/media/host?direction=subscribe&ack=1");
		expect(connection.protocols.split(/, */)).toEqual(["tandem", "bearer.a.b.c"]);
		expect(events.slice(0, 41)).toEqual(["connected", ...frameEvents(0, 40)]);
		const acks = acksOf(connection);
		expect(acks.at(-1)).toBe(40);
		for (const [index, ack] of acks.entries()) {
			expect(ack).toBeGreaterThan(acks[index - 1] ?? 0);
			expect(ack - (acks[index - 1] ?? 0)).toBeLessThanOrEqual(ACK_EVERY_TAGS);
		}
		expect((await connection.closed).code).toBe(1000);
	});

	test("comes back after a broken line, and counts its acknowledgements anew", async () => {
		const { connections } = await open({
			onConnection: (connection, index) => {
				for (const message of [flvHeader(), ...(index === 0 ? tags(0, 20) : tags(30, 50))]) {
					connection.socket.send(message);
				}
			},
			onMessage: (connection, index) => {
				if (index === 0 && acksOf(connection).at(-1) === 20) {
					connection.cut();
				}
			},
		});
		const events = await subscribe(40, 200);
		expect(events.slice(0, 43)).toEqual([
			"connected",
			...frameEvents(0, 20),
			"disconnected",
			"connected",
			...frameEvents(30, 50),
		]);
		expect(connections.map((each) => acksOf(each).at(-1))).toEqual([20, 20]);
	});

	test("takes a refusal for final", async () => {
		const { connections } = await open({
			onConnection: ({ socket }) => socket.close(CLOSE.unauthorized.code, "expected a valid token, got an expired one"),
		});
		const events = await subscribe(1, PAST_FIRST_RETRY_MS);
		expect(events.filter((event) => event.startsWith("refused"))).toEqual([
			"refused: expected a valid token, got an expired one",
		]);
		expect(connections).toHaveLength(1);
	});

	test.each([
		{ what: "garbage", message: Uint8Array.of(9, 9, 9, 9) },
		{ what: "two tags in one message", message: Uint8Array.from(tags(0, 2).flatMap((tag) => [...tag])) },
		{ what: "a tag cut short", message: (tags(0, 1)[0] as Uint8Array).subarray(0, 14) },
	])("subscribes again after $what, and says why to both sides", async ({ message }) => {
		const { connections } = await open({
			onConnection: ({ socket }, index) => {
				for (const each of index === 0 ? [message] : [flvHeader(), ...tags(0, 3)]) {
					socket.send(each);
				}
			},
		});
		const events = await subscribe(3, 0);
		expect(events[1]).toMatch(/^problem: .*expected .*got/);
		expect(events.slice(2, 7)).toEqual(["disconnected", "connected", ...frameEvents(0, 3)]);
		const closed = await (connections[0] as EdgeConnection).closed;
		expect(closed.code).toBe(CLOSE.badMedia.code);
		expect(closed.reason).toMatch(/expected .*got/);
		expect(connections).toHaveLength(2);
	});
});

describe("ProgramPublisher", () => {
	function publish(frames: number, frameBytes: number): Promise<Published> {
		return browser.run<Published>(MODULE, "publish", [edge?.origin, frames, frameBytes, PAST_FIRST_RETRY_MS]);
	}

	interface Sent {
		readonly kind: TagKind | "shows";
		/** Of the tag that the message speaks of. */
		readonly programMs?: number;
		readonly timestampMs?: number;
		/** Of video frames. */
		readonly number: number | undefined;
	}

	/** Each tag of a connection after its header, which is checked. */
	function sentOn({ messages }: EdgeConnection): Sent[] {
		const [header, ...rest] = messages as Uint8Array[];
		expect(header === undefined || isFlvHeader(header)).toBe(true);
		const reader = new FlvFrameReader();
		return (rest as (Uint8Array | string)[]).map((message) => {
			if (typeof message === "string") {
				const { programMs, hostMs } = compositeShowsSchema.parse(JSON.parse(message));
				expect(hostMs).toBe(programMs + HOST_AHEAD_MS);
				return { kind: "shows", programMs, number: undefined };
			}
			const tag = readSingleTag(message);
			const kind = tagKind(tag);
			const isPicture = kind === "video-key" || kind === "video-inter";
			const data = isPicture ? tag.body.subarray(5) : undefined;
			if (kind === "audio") {
				reader.push(tag); // The sound is whole.
			}
			return {
				kind,
				timestampMs: tag.timestampMs,
				number: data === undefined ? undefined : new DataView(data.buffer, data.byteOffset).getUint32(0),
			};
		});
	}

	const OPENING: readonly Sent["kind"][] = ["audio-config", "video-config", "shows", "video-key"];
	const kindsOf = (sent: readonly Sent[]) => sent.map(({ kind }) => kind);

	test("opens with header, both configurations and a key frame, then sends every frame once", async () => {
		const { connections } = await open({});
		const published = await publish(50, 100);
		const [connection] = connections as [EdgeConnection];
		expect(connection.path).toBe(`/api/broadcasts/b1/media/${MAIN_COMPOSITE_STREAM}?direction=publish`);
		expect((await connection.closed).code).toBe(1000);
		const sent = sentOn(connection);
		expect(kindsOf(sent).slice(0, 4)).toEqual(OPENING);
		expect(kindsOf(sent).filter((kind) => kind.endsWith("config"))).toHaveLength(2);
		const numbers = sent.flatMap(({ number }) => number ?? []);
		expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
		expect(published).toMatchObject({ framesSent: 50, framesDropped: 0 });
		expect(published.refused).toBeUndefined();
		expect(published.problems).toEqual([]);
		expect(numbers).toHaveLength(50);
		expect(numbers[0]).toBeGreaterThanOrEqual(FROM);
	});

	test("says right before each key frame which picture of the host's it shows, and before no other", async () => {
		const { connections } = await open({});
		await publish(80, 100);
		const sent = sentOn(connections[0] as EdgeConnection);
		const keys = sent.flatMap(({ kind }, at) => (kind === "video-key" ? [at] : []));
		expect(keys.length).toBeGreaterThanOrEqual(4);
		expect(keys.map((at) => [sent[at - 1]?.kind, sent[at - 1]?.programMs])).toEqual(
			keys.map((at) => ["shows", sent[at]?.timestampMs]),
		);
		expect(sent.filter(({ kind }) => kind === "shows")).toHaveLength(keys.length);
	});

	test("hands on what the Router asks for, and lives through what it cannot mean", async () => {
		const requests = [{ type: "key-frame" }, { type: "key-frame", afterHostMs: 0xffff_ffff }];
		await open({
			onConnection: ({ socket }) => {
				socket.send("not JSON");
				socket.send(Uint8Array.of(1, 2, 3));
				socket.send(JSON.stringify({ type: "key-frame", afterHostMs: -1 }));
				for (const request of requests) {
					socket.send(JSON.stringify(request));
				}
			},
		});
		const published = await publish(50, 100);
		expect(published.requests).toEqual(requests);
		expect(published.problems).toHaveLength(3);
		expect(published.problems.every((each) => each.startsWith("program: expected a request"))).toBe(true);
		expect(published).toMatchObject({ framesSent: 50, framesDropped: 0 });
	});

	test("comes back after a broken line with header, configurations and a key frame that it asked for", async () => {
		const { connections } = await open({
			onMessage: (connection, index) => {
				if (index === 0 && connection.messages.length === 20) {
					connection.cut();
				}
				if (index === 1 && connection.messages.length === 20) {
					connection.socket.close(CLOSE.takenOver.code, "a newer compositor took over");
				}
			},
		});
		const published = await publish(10_000, 100);
		expect(published.refused).toBe("a newer compositor took over");
		expect(connections).toHaveLength(2);
		const [first, second] = connections.map(sentOn) as [Sent[], Sent[]];
		expect(kindsOf(second).slice(0, 4)).toEqual(OPENING);
		expect(second[3]?.number).toBeGreaterThan(Math.max(...first.flatMap(({ number }) => number ?? [])));
		expect(published.keyFramesWanted).toBeGreaterThanOrEqual(2);
		// What was on its way when the refusal came, and nothing after it.
		expect(connections[1]?.messages.length).toBeLessThan(60);
	});

	test("takes a refusal for final", async () => {
		const { connections } = await open({
			onConnection: ({ socket }) => socket.close(CLOSE.forbidden.code, ""),
		});
		expect(await publish(10_000, 100)).toMatchObject({ refused: "closed with code 4403" });
		expect(connections).toHaveLength(1);
	});

	test("leaves frames out while the line is too slow, and goes on at a key frame with its configurations", async () => {
		const { connections } = await open({
			onMessage: (connection) => {
				if (connection.messages.length === 10) {
					connection.pause();
				}
			},
			onRequest: (_request, response) => {
				connections[0]?.resume();
				response.end();
			},
		});
		const published = await publish(100_000, 64 * 1024);
		expect(published.framesDropped).toBeGreaterThan(0);
		const [connection] = connections as [EdgeConnection];
		await connection.closed;
		const sent = sentOn(connection);
		const pictures = sent.filter(({ number }) => number !== undefined);
		expect(pictures).toHaveLength(published.framesSent);
		const gaps = pictures.flatMap(({ number = 0 }, index) =>
			index > 0 && number !== (pictures[index - 1]?.number ?? 0) + 1 ? [number] : [],
		);
		expect(gaps.length).toBeGreaterThanOrEqual(1);
		for (const number of gaps) {
			const at = sent.findIndex((each) => each.number === number);
			expect(kindsOf(sent).slice(at - 3, at + 1)).toEqual(OPENING);
		}
		expect(connections).toHaveLength(1);
	});
});

describe("ControlClient", () => {
	const SCENE = {
		layout: "pip",
		width: 1280,
		height: 720,
		frameRate: 30,
		videoBitrateBps: 3_000_000,
		audioBitrateBps: 128_000,
		keyFrameIntervalS: 2,
		people: [{ id: "host", name: "Ada", gain: 1, expected: true }],
	};
	const scene = (layout: string) => JSON.stringify({ type: "scene", scene: { ...SCENE, layout } });

	function control(scenes: number): Promise<string[]> {
		return browser.run<string[]>(MODULE, "control", [edge?.origin, scenes, STATS]);
	}

	test("takes scenes, gives figures while connected, and lives through messages that make no sense", async () => {
		const { connections } = await open({
			onConnection: ({ socket }) => {
				socket.send("not JSON");
				socket.send(Uint8Array.of(1, 2, 3));
				socket.send(JSON.stringify({ type: "from the future" }));
				socket.send(scene("spiral"));
				socket.send(JSON.stringify({ type: "pong" }));
				socket.send(JSON.stringify({ type: "error", title: "Refused", detail: "expected this, got that" }));
				socket.send(scene("pip"));
				socket.send(scene("vertical"));
			},
		});
		const events = await control(2);
		expect(events.map((event) => event.replace(/(known message), got[\s\S]*/, "$1"))).toEqual([
			"problem: control: expected a known message",
			"problem: control: expected a known message",
			"problem: control: expected a known message",
			"problem: control: expected a known message",
			"problem: control: Refused: expected this, got that",
			"scene pip",
			"scene vertical",
		]);
		const [connection] = connections as [EdgeConnection];
		expect(connection.path).toBe("/api/broadcasts/b1/control");
		await connection.closed;
		const requests = connection.messages.map((message) => controlRequestSchema.parse(JSON.parse(String(message))));
		expect(requests).toEqual([1, 2].map(() => ({ type: "compositor-stats", stats: STATS })));
	});

	test("comes back after a broken line, and gives up when refused", async () => {
		const { connections } = await open({
			onConnection: (connection, index) => {
				if (index === 0) {
					connection.cut();
				} else {
					connection.socket.close(CLOSE.ended.code, "the broadcast has ended");
				}
			},
		});
		expect(await control(1)).toEqual([
			"problem: control: connection lost (code 1006)",
			"refused: the broadcast has ended",
		]);
		expect(connections).toHaveLength(2);
	});
});
