import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteReader } from "../../../media/bytes/byte-reader.ts";
import { ByteWriter } from "../../../media/bytes/byte-writer.ts";
import { PublishRejection, RtmpAcceptor, type RtmpAcceptorOptions } from "../../../rtmp/acceptor.ts";
import { writeAmf0 } from "../../../rtmp/amf0.ts";
import { readCommand } from "../../../rtmp/command.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";
import { CollectingAcceptor } from "../../support/rtmp/collecting-sink.ts";
import { hex } from "../../support/rtmp/hex.ts";
import { memoryTransportPair } from "../../support/rtmp/memory-transport.ts";
import { ScriptedPeer } from "../../support/rtmp/scripted-peer.ts";

const COMMANDS = { csid: 3 };
const ON_STREAM = { csid: 4, msid: 1 };
const AAC_FRAME = hex("af01 2110045000");

function start(options: Partial<RtmpAcceptorOptions> = {}) {
	const timers = new ManualClock();
	const [ours, theirs, reset] = memoryTransportPair();
	const seen = new CollectingAcceptor(ours, { timers, ...options });
	return { timers, seen, peer: new ScriptedPeer(theirs), reset };
}

async function connect(peer: ScriptedPeer): Promise<void> {
	await peer.handshakeAsClient();
	await peer.call(COMMANDS, "connect", 1, { app: "live" });
	await peer.nextCommand("_result");
}

async function publish(peer: ScriptedPeer, key = "KEY"): Promise<void> {
	await connect(peer);
	await peer.call(COMMANDS, "createStream", 2, null);
	await peer.nextCommand("_result");
	await peer.call(ON_STREAM, "publish", 3, null, key, "live");
	await peer.nextCommand("onStatus");
}

async function status(peer: ScriptedPeer) {
	const message = await peer.nextOfType(20);
	const { name, args } = readCommand(message.payload);
	expect(name).toBe("onStatus");
	return { ...(args[1] as { level: string; code: string; description: string }), streamId: message.streamId };
}

describe("rtmp acceptor: conversation", () => {
	it("announces window, bandwidth and chunk size, then accepts", async () => {
		const { peer } = start();
		await peer.handshakeAsClient();
		await peer.call(COMMANDS, "connect", 1, { app: "live", fourCcList: ["hvc1", "av01"] });
		expect((await peer.next())?.typeId).toBe(5);
		expect((await peer.next())?.typeId).toBe(6);
		const { args } = await peer.nextCommand("_result");
		expect(args[1]).toMatchObject({ objectEncoding: 0, fourCcList: ["av01", "vp09", "vp08", "Opus"] });
	});

	it("answers pings and unknown calls, and ignores what is not for it", async () => {
		const { seen, peer } = start();
		await publish(peer);
		await peer.message(4, hex("0006 01020304"), { csid: 2 });
		expect((await peer.nextOfType(4)).payload).toEqual(hex("0007 01020304"));
		await peer.call(COMMANDS, "makeCoffee", 9, null);
		expect((await peer.nextCommand("_error")).transactionId).toBe(9);
		await peer.call(COMMANDS, "makeCoffee", 0, null);
		await peer.call(COMMANDS, "onStatus", 7, null);
		await peer.message(19, hex("00"), COMMANDS);
		await peer.message(3, hex("00000001"), { csid: 2 });
		await peer.message(8, AAC_FRAME, ON_STREAM);
		await peer.end();
		await seen.ended;
		expect(seen.tags).toHaveLength(1);
		expect(seen.errors).toEqual([]);
	});

	it("ignores media before publish and after its end, and takes a second stream after the first", async () => {
		const { seen, peer } = start();
		await connect(peer);
		await peer.message(8, AAC_FRAME, ON_STREAM);
		for (const key of ["first", "second"]) {
			await peer.call(ON_STREAM, "publish", 0, null, key, "live");
			await peer.nextCommand("onStatus");
			await peer.message(8, AAC_FRAME, { ...ON_STREAM, timestampMs: 5 });
			await peer.call(COMMANDS, "deleteStream", 0, null, 1);
			await peer.message(8, AAC_FRAME, { ...ON_STREAM, timestampMs: 9 });
		}
		await peer.end();
		await seen.ended;
		expect(seen.requests.map(({ streamKey }) => streamKey)).toEqual(["first", "second"]);
		expect(seen.tags.map(({ timestampMs }) => timestampMs)).toEqual([5, 5]);
		expect(seen.endings).toEqual(["the publisher ended the stream", "the publisher ended the stream"]);
	});

	it("answers on the message stream that publish came on", async () => {
		const { peer } = start();
		await connect(peer);
		await peer.call({ csid: 4, msid: 7 }, "publish", 0, null, "KEY");
		expect(await status(peer)).toMatchObject({ code: "NetStream.Publish.Start", streamId: 7 });
	});

	it("reports a connection that broke", async () => {
		const { seen, peer, reset } = start();
		await publish(peer);
		reset();
		await seen.ended;
		expect(seen.errors).toEqual(["rtmp: expected more from the peer, got a broken connection"]);
		expect(seen.endings).toEqual(seen.errors);
	});

	it.each(["reset", "silence"])("does not report how a publisher leaves that has said goodbye (%s)", async (way) => {
		const { seen, peer, timers, reset } = start();
		await publish(peer);
		await peer.call(COMMANDS, "deleteStream", 0, null, 1);
		await settle();
		if (way === "reset") {
			reset();
		} else {
			await timers.advance(10_000);
		}
		await seen.ended;
		expect(seen.errors).toEqual([]);
		expect(seen.endings).toEqual(["the publisher ended the stream"]);
	});

	it("drops the connection when closed, and may be closed again", async () => {
		const { seen, peer, timers } = start();
		await publish(peer);
		seen.acceptor.close();
		seen.acceptor.close();
		seen.acceptor.reject("NetStream.Publish.BadName", "too late");
		await seen.ended;
		await peer.ended();
		expect(seen.endings).toEqual(["closed by the server"]);
		expect(timers.pending).toBe(0);
	});
});

describe("rtmp acceptor: refusals", () => {
	it("says onStatus error before it closes when the key is wrong", async () => {
		const { seen, peer, timers } = start({
			onPublish: async () => {
				throw new PublishRejection("NetStream.Publish.BadName", "expected a key of this broadcast, got another");
			},
		});
		await connect(peer);
		await peer.call(ON_STREAM, "publish", 5, null, "WRONG", "live");
		expect(await status(peer)).toEqual({
			level: "error",
			code: "NetStream.Publish.BadName",
			description: "expected a key of this broadcast, got another",
			streamId: 1,
		});
		// A publisher that goes on sending all the same must not make the error be lost.
		await peer.message(9, new Uint8Array(50_000), ON_STREAM);
		await peer.end();
		await seen.ended;
		expect(seen.errors).toEqual([]);
		expect(timers.pending).toBe(0);
	});

	it("leaves a rejected publisher that does not leave", async () => {
		const { seen, peer, timers } = start({
			onPublish: async () => {
				throw new PublishRejection("NetStream.Publish.Denied", "no");
			},
			timeouts: { lingerMs: 2_000 },
		});
		await connect(peer);
		await peer.call(ON_STREAM, "publish", 5, null, "WRONG", "live");
		expect((await status(peer)).code).toBe("NetStream.Publish.Denied");
		let over = false;
		seen.ended.then(() => {
			over = true;
		});
		await timers.advance(1_999);
		expect(over).toBe(false);
		await timers.advance(1);
		await seen.ended;
	});

	it("tells a publisher no more than that it failed when the decision threw, and reports why", async () => {
		const { seen, peer } = start({
			onPublish: async () => {
				throw new Error("database password is hunter2");
			},
		});
		await connect(peer);
		await peer.call(ON_STREAM, "publish", 5, null, "KEY", "live");
		expect(await status(peer)).toMatchObject({ code: "NetStream.Failed", description: "the server failed" });
		expect(seen.errors).toEqual(["database password is hunter2"]);
	});

	it("turns a publisher away in mid-stream", async () => {
		const { seen, peer } = start();
		await publish(peer);
		seen.acceptor.reject("NetStream.Publish.BadName", "a newer publisher took over");
		expect(await status(peer)).toMatchObject({ level: "error", code: "NetStream.Publish.BadName" });
		await peer.message(8, AAC_FRAME, ON_STREAM);
		await peer.end();
		await seen.ended;
		expect(seen.tags).toEqual([]);
		expect(seen.endings).toEqual(["a newer publisher took over"]);
	});

	it.each([
		[
			"throws",
			() => {
				throw new PublishRejection("NetStream.Publish.Rejected", "expected H.264, got HEVC");
			},
		],
		["rejects", () => Promise.reject(new PublishRejection("NetStream.Publish.Rejected", "expected H.264, got HEVC"))],
	])("turns a publisher away when its sink %s", async (_, onTag: () => void | Promise<void>) => {
		const endings: string[] = [];
		const { peer } = start({ onPublish: async () => ({ onTag, onEnd: (reason) => endings.push(reason) }) });
		await publish(peer);
		await peer.message(9, hex("1c00"), ON_STREAM);
		expect(await status(peer)).toMatchObject({
			code: "NetStream.Publish.Rejected",
			description: "expected H.264, got HEVC",
		});
		expect(endings).toEqual(["expected H.264, got HEVC"]);
	});

	it("turns away a second publish at the same time", async () => {
		const { seen, peer } = start();
		await publish(peer);
		await peer.call({ csid: 4, msid: 2 }, "publish", 6, null, "OTHER", "live");
		expect(await status(peer)).toMatchObject({ level: "error", code: "NetStream.Publish.BadName", streamId: 2 });
		expect(seen.endings).toHaveLength(1);
		expect(seen.requests).toHaveLength(1);
	});

	it.each([
		["no key", null],
		["an empty key", ""],
		["a number", 5],
		["a key far too long", "k".repeat(4097)],
	])("turns away a publish with %s", async (_, key) => {
		const { seen, peer } = start();
		await connect(peer);
		await peer.call(ON_STREAM, "publish", 5, null, key, "live");
		expect((await status(peer)).code).toBe("NetStream.Publish.BadName");
		expect(seen.requests).toEqual([]);
	});

	it("turns away players", async () => {
		const { peer } = start();
		await connect(peer);
		await peer.call(ON_STREAM, "play", 5, null, "KEY");
		expect(await status(peer)).toMatchObject({
			code: "NetStream.Play.Failed",
			description: "rtmp: expected publish, got play",
		});
	});
});

describe("rtmp acceptor: what is malformed", () => {
	const afterConnect: readonly [string, string, (peer: ScriptedPeer) => Promise<void>][] = [
		[
			"a chunk size of 0",
			"rtmp chunk: expected a chunk size from 1 to 2147483647, got 0",
			(peer) => peer.message(1, hex("00000000"), { csid: 2 }),
		],
		[
			"a chunk size of 2^31",
			"rtmp chunk: expected a chunk size from 1 to 2147483647, got 2147483648",
			(peer) => peer.message(1, hex("80000000"), { csid: 2 }),
		],
		[
			"a message above the limit",
			"rtmp chunk: expected a message of at most 100000 bytes, got one of 100001",
			(peer) => peer.message(9, new Uint8Array(100_001), ON_STREAM),
		],
		[
			"AMF0 of no type",
			"amf0: expected a type marker at offset 0, got 0x63",
			(peer) => peer.message(20, hex("63"), COMMANDS),
		],
		[
			"a command without a name",
			"rtmp command: expected a name first, got null",
			(peer) => peer.message(20, writeAmf0([null]), COMMANDS),
		],
		[
			"a second connect",
			"rtmp: expected connect once, got it again",
			(peer) => peer.call(COMMANDS, "connect", 9, { app: "live" }),
		],
		[
			"a chunk stream begun in mid-air",
			"rtmp chunk: expected a full header first on chunk stream 40, got format 3",
			(peer) => peer.send(hex("e8")),
		],
	];

	it.each(afterConnect)("ends the connection over %s and says what it expected", async (_, description, say) => {
		const { seen, peer } = start({ limits: { maxMessageBytes: 100_000 } });
		await publish(peer);
		await say(peer);
		expect(await status(peer)).toMatchObject({ level: "error", code: "NetStream.Failed", description });
		await peer.end();
		await seen.ended;
		expect(seen.errors).toEqual([description]);
		expect(seen.endings).toEqual([description]);
	});

	it("ends what is no RTMP at its first byte", async () => {
		const { seen, peer } = start();
		await peer.send(new TextEncoder().encode("GET / HTTP/1.1\r\n"));
		await seen.ended;
		await peer.ended();
		expect(seen.errors).toEqual(["rtmp handshake: expected version 3, got 71"]);
	});

	it.each([
		["another command first", "rtmp: expected connect first, got another command", "createStream", null],
		["a connect without an app", "rtmp connect: expected an app, got none", "connect", { tcUrl: "rtmp://x" }],
		["a connect without anything", "rtmp connect: expected an app, got none", "connect", null],
	])("ends the connection over %s", async (_, description, name, object) => {
		const { seen, peer } = start();
		await peer.handshakeAsClient();
		await peer.call(COMMANDS, name, 1, object);
		expect(await status(peer)).toMatchObject({ code: "NetStream.Failed", description });
		await peer.end();
		await seen.ended;
		expect(seen.errors).toEqual([description]);
	});

	it("ends a connection that creates streams without end", async () => {
		const { seen, peer } = start();
		await connect(peer);
		for (let made = 0; made < 16; made += 1) {
			await peer.call(COMMANDS, "createStream", 2, null);
			expect((await peer.nextCommand("_result")).args[1]).toBe(made + 1);
		}
		await peer.call(COMMANDS, "createStream", 2, null);
		expect((await status(peer)).description).toBe("rtmp: expected at most 16 streams on a connection, got one more");
		await peer.end();
		await seen.ended;
	});

	it("ends, whatever bytes come, and never shows the key", async () => {
		const bytes = fc.array(
			fc.oneof(
				fc.uint8Array({ maxLength: 60 }),
				fc.constantFrom(...["03000000000001140000000002", "c3", "02000000000004010000000000000000"].map(hex)),
			),
			{ maxLength: 12 },
		);
		await fc.assert(
			fc.asyncProperty(bytes, async (pieces) => {
				const { seen, peer } = start();
				await publish(peer, "TOP-SECRET");
				await peer.send(
					new ByteWriter().bytes(pieces.reduce((all, each) => all.bytes(each), new ByteWriter()).finish()).finish(),
				);
				await peer.end();
				await seen.ended;
				expect(JSON.stringify([seen.errors, seen.endings])).not.toContain("SECRET");
			}),
			{ numRuns: 200 },
		);
	});
});

describe("rtmp acceptor: time", () => {
	it.each<[string, string, (peer: ScriptedPeer) => Promise<void>, number]>([
		["says nothing", "rtmp: expected a handshake within 1000 ms, got nothing", async () => {}, 1_000],
		[
			"says nothing after the handshake",
			"rtmp: expected connect within 2000 ms, got nothing",
			(peer) => peer.handshakeAsClient(),
			2_000,
		],
		["says nothing after connect", "rtmp: expected publish within 3000 ms, got nothing", connect, 3_000],
	])("leaves a publisher that %s", async (_, error, say, ms) => {
		const timeouts = { handshakeMs: 1_000, connectMs: 2_000, publishMs: 3_000, lingerMs: 100 };
		const { seen, peer, timers } = start({ timeouts });
		await say(peer);
		await timers.advance(ms - 1);
		expect(seen.errors).toEqual([]);
		await timers.advance(101);
		await seen.ended;
		expect(seen.errors).toEqual([error]);
		expect(timers.pending).toBe(0);
	});

	it("leaves a publisher that drips its handshake", async () => {
		const { seen, peer, timers } = start({ timeouts: { handshakeMs: 1_000 } });
		for (let second = 0; second < 10; second += 1) {
			await peer.send(Uint8Array.of(3)).catch(() => {});
			await timers.advance(100);
		}
		await seen.ended;
		expect(seen.errors).toEqual(["rtmp: expected a handshake within 1000 ms, got nothing"]);
	});

	it("leaves a publisher that falls silent, but none that sends now and then", async () => {
		const { seen, peer, timers } = start({ idleTimeoutMs: 30_000 });
		await publish(peer);
		for (let minute = 0; minute < 5; minute += 1) {
			await timers.advance(25_000);
			await peer.message(8, AAC_FRAME, ON_STREAM);
		}
		expect(seen.errors).toEqual([]);
		await timers.advance(40_000);
		await seen.ended;
		expect(seen.errors).toEqual(["rtmp: expected the publisher to send within 30000 ms, got silence"]);
		expect(seen.tags).toHaveLength(5);
	});

	it("waits for ever when told to", async () => {
		const { seen, peer, timers } = start({ idleTimeoutMs: Number.POSITIVE_INFINITY });
		await publish(peer);
		await timers.advance(24 * 3600 * 1000);
		expect(seen.errors).toEqual([]);
		seen.acceptor.close();
	});

	it("does not call a publisher silent while its own sink holds it back", async () => {
		const taken = Promise.withResolvers<void>();
		const { seen, peer, timers } = start({ onPublish: async () => ({ onTag: () => taken.promise, onEnd: () => {} }) });
		await publish(peer);
		await peer.message(8, AAC_FRAME, ON_STREAM);
		await timers.advance(300_000);
		expect(seen.errors).toEqual([]);
		taken.resolve();
		seen.acceptor.close();
	});

	it("gives up on a decision that does not come, and ends the sink that comes too late", async () => {
		const decision = Promise.withResolvers<{ onTag(): void; onEnd(reason: string): void }>();
		const { seen, peer, timers } = start({
			onPublish: () => decision.promise,
			timeouts: { authorizeMs: 500, lingerMs: 100 },
		});
		await connect(peer);
		await peer.call(ON_STREAM, "publish", 5, null, "KEY", "live");
		await timers.advance(500);
		expect((await status(peer)).code).toBe("NetStream.Failed");
		await timers.advance(100);
		await seen.ended;
		const endings: string[] = [];
		decision.resolve({ onTag: () => {}, onEnd: (reason) => endings.push(reason) });
		await settle();
		expect(endings).toEqual(["the connection ended before the stream began"]);
	});

	it("acknowledges by the clock when too little comes for its window", async () => {
		const { peer, timers } = start();
		await publish(peer);
		await peer.message(9, new Uint8Array(1_000), ON_STREAM);
		await timers.advance(5_000);
		const first = new ByteReader((await peer.nextOfType(3)).payload).u32();
		expect(first).toBeGreaterThan(3073 + 1_000);
		await peer.message(9, new Uint8Array(1_000), ON_STREAM);
		await timers.advance(5_000);
		const second = new ByteReader((await peer.nextOfType(3)).payload).u32();
		expect(second - first).toBe(12 + 1_000 + 7);
	});

	it("acknowledges within the publisher's window", async () => {
		const { peer } = start();
		await publish(peer);
		await peer.message(5, new ByteWriter().u32(2_000).finish(), { csid: 2 });
		await peer.message(9, new Uint8Array(1_100), ON_STREAM);
		await peer.nextOfType(3);
	});
});

describe("rtmp acceptor: back-pressure", () => {
	it("reads no further while its sink's promise is open", async () => {
		const [ours, theirs] = memoryTransportPair();
		const opened: PromiseWithResolvers<void>[] = [];
		const acceptor = new RtmpAcceptor(ours, {
			onPublish: async () => ({
				onTag: () => {
					const taken = Promise.withResolvers<void>();
					opened.push(taken);
					return taken.promise;
				},
				onEnd: () => {},
			}),
		});
		const ended = acceptor.run();
		const peer = new ScriptedPeer(theirs);
		await publish(peer);
		for (let sent = 0; sent < 3; sent += 1) {
			await peer.message(8, AAC_FRAME, ON_STREAM);
		}
		await settle();
		expect(opened).toHaveLength(1);
		opened[0]?.resolve();
		await settle();
		expect(opened).toHaveLength(2);
		acceptor.close();
		await ended;
	});
});
