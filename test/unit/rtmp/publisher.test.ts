import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../../media/bytes/byte-writer.ts";
import type { FlvTag } from "../../../media/flv/tag.ts";
import { adobeProofQuery } from "../../../rtmp/adobe-auth.ts";
import { type Amf0Object, readAmf0, writeAmf0 } from "../../../rtmp/amf0.ts";
import { readCommand } from "../../../rtmp/command.ts";
import { HANDSHAKE_BYTES } from "../../../rtmp/handshake.ts";
import {
	CLOSED_AFTER_START,
	RtmpAuthRequiredError,
	RtmpBusyError,
	RtmpCurtError,
	RtmpPublisher,
	type RtmpPublisherOptions,
	RtmpRedirectError,
	RtmpRefusedError,
} from "../../../rtmp/publisher.ts";
import type { ByteTransport } from "../../../rtmp/transport.ts";
import { parseRtmpUrl, type RtmpUrl } from "../../../rtmp/url.ts";
import { ManualClock, settle } from "../../support/manual-clock.ts";
import { CollectingAcceptor } from "../../support/rtmp/collecting-sink.ts";
import { hex } from "../../support/rtmp/hex.ts";
import { memoryTransportPair } from "../../support/rtmp/memory-transport.ts";
import { ScriptedPeer } from "../../support/rtmp/scripted-peer.ts";

const URL = parseRtmpUrl("rtmp://u:hunter2@example.com:1936/live", "TOP-SECRET?a=b");
const COMMANDS = { csid: 3 };
const ON_STREAM = { csid: 5, msid: 1 };
const AAC_FRAME: FlvTag = { type: 8, timestampMs: 21, body: hex("af01 2110045000") };

const info = (level: string, code: string, description: string, more: Amf0Object = {}) => ({
	level,
	code,
	description,
	...more,
});
const START = info("status", "NetStream.Publish.Start", "go");

function start(options: Partial<RtmpPublisherOptions> = {}) {
	const timers = new ManualClock();
	const [ours, theirs] = memoryTransportPair();
	const connecting = RtmpPublisher.connect(ours, { url: URL, timers, ...options });
	connecting.catch(() => {});
	return { timers, connecting, server: new ScriptedPeer(theirs) };
}

/** A server that says only what it must, as nginx-rtmp and node-media-server do. */
async function acceptUntil(
	server: ScriptedPeer,
	step: "connect" | "createStream" | "publish" | "start",
): Promise<void> {
	await server.handshakeAsServer();
	if (step === "connect") {
		return;
	}
	await server.nextCommand("connect");
	await server.call(COMMANDS, "_result", 1, {}, info("status", "NetConnection.Connect.Success", ""));
	if (step === "createStream") {
		return;
	}
	await server.nextCommand("releaseStream");
	await server.nextCommand("FCPublish");
	await server.nextCommand("createStream");
	await server.call(COMMANDS, "_result", 4, null, 1);
	if (step === "publish") {
		return;
	}
	await server.nextCommand("publish");
	await server.call(ON_STREAM, "onStatus", 0, null, START);
}

async function publishing(options: Partial<RtmpPublisherOptions> = {}) {
	const { timers, connecting, server } = start(options);
	await acceptUntil(server, "start");
	return { timers, server, publisher: await connecting };
}

const failure = (promise: Promise<unknown>) =>
	promise.then(
		() => {
			throw new Error("expected a failure, got none");
		},
		(error: unknown) => error as Error,
	);

describe("rtmp publisher: conversation", () => {
	it("says what servers want in the order they want it, and waits for no more than they answer", async () => {
		const { connecting, server } = start();
		const c2 = await server.handshakeAsServer();
		expect(c2).toEqual(new Uint8Array(HANDSHAKE_BYTES).fill(7));
		const commands: [string, number, unknown, number][] = [];
		for (const answer of [
			[{}, info("status", "NetConnection.Connect.Success", "")],
			undefined,
			undefined,
			[null, 33],
			undefined,
		]) {
			const message = await server.nextOfType(20);
			const { name, transactionId, args } = readCommand(message.payload);
			commands.push([name, transactionId, args, message.streamId]);
			if (answer !== undefined) {
				await server.call(COMMANDS, "_result", transactionId, ...answer);
			}
		}
		const key = "TOP-SECRET?a=b";
		expect(commands).toEqual([
			[
				"connect",
				1,
				[
					{
						app: "live",
						type: "nonprivate",
						flashVer: "FMLE/3.0 (compatible; Tandem)",
						tcUrl: "rtmp://example.com:1936/live",
					},
				],
				0,
			],
			["releaseStream", 2, [null, key], 0],
			["FCPublish", 3, [null, key], 0],
			["createStream", 4, [null], 0],
			["publish", 5, [null, key, "live"], 33],
		]);
		await server.call(ON_STREAM, "onStatus", 0, null, START);
		await connecting;
	});

	it("keeps to chunk streams below 32, which is as far as nginx-rtmp counts", async () => {
		const { publisher, server } = await publishing();
		await publisher.sendTag(AAC_FRAME);
		await publisher.sendTag({ ...AAC_FRAME, type: 9 });
		await publisher.sendMetadata({ width: 2, height: 2, frameRate: 30, videoBitrateBps: 1, audioBitrateBps: 1 });
		for (let seen = 0; seen < 3; seen += 1) {
			expect((await server.next())?.chunkStreamId).toBeLessThan(32);
		}
	});

	it("sends metadata as an ECMA array to be kept, at the time of the last tag", async () => {
		const { publisher, server } = await publishing();
		await publisher.sendTag({ ...AAC_FRAME, timestampMs: 5_000 });
		await publisher.sendMetadata({
			width: 1280,
			height: 720,
			frameRate: 30,
			videoBitrateBps: 3e6,
			audioBitrateBps: 128e3,
		});
		const message = await server.nextOfType(18);
		expect(message).toMatchObject({ timestampMs: 5_000, streamId: 1 });
		expect(readAmf0(message.payload)).toMatchObject([
			"@setDataFrame",
			"onMetaData",
			{ entries: { width: 1280, videodatarate: 3000 } },
		]);
	});

	it("answers pings and bandwidth checks while it publishes", async () => {
		const { server } = await publishing();
		await server.message(4, hex("0006 0a0b0c0d"), { csid: 2 });
		expect((await server.nextOfType(4)).payload).toEqual(hex("0007 0a0b0c0d"));
		await server.call(COMMANDS, "onBWDone", 0, null, 8192);
		await server.nextCommand("_checkbw");
	});

	it("answers a bandwidth check before connect's answer", async () => {
		const { server } = start();
		await server.handshakeAsServer();
		await server.nextCommand("connect");
		await server.call(COMMANDS, "onBWDone", 0);
		await server.nextCommand("_checkbw");
	});

	it("sends on without a single acknowledgement", async () => {
		const { publisher, server } = await publishing();
		await server.message(5, new ByteWriter().u32(1_000).finish(), { csid: 2 });
		await server.message(6, hex("000003e8 02"), { csid: 2 });
		for (let sent = 0; sent < 100; sent += 1) {
			await publisher.sendTag({ ...AAC_FRAME, body: new Uint8Array(1_000) });
			await server.nextOfType(8);
		}
		expect(publisher.bytesSent).toBeGreaterThan(100_000);
	});

	it("holds its sender back while the transport takes nothing", async () => {
		const [ours, theirs] = memoryTransportPair();
		const gate = Promise.withResolvers<void>();
		let open = true;
		const slow: ByteTransport = {
			...ours,
			writable: new WritableStream({
				async write(bytes) {
					if (!open) {
						await gate.promise;
					}
					await writer.write(bytes);
				},
			}),
		};
		const writer = ours.writable.getWriter();
		const connecting = RtmpPublisher.connect(slow, { url: URL, timers: new ManualClock() });
		await acceptUntil(new ScriptedPeer(theirs), "start");
		const publisher = await connecting;
		open = false;
		let taken = false;
		const sending = publisher.sendTag(AAC_FRAME).then(() => {
			taken = true;
		});
		await settle();
		expect(taken).toBe(false);
		gate.resolve();
		await sending;
	});
});

describe("rtmp publisher: our own acceptor", () => {
	it.each([1, 1000, Number.POSITIVE_INFINITY])(
		"arrives whole, times across 2^24 and 2^32 included, in pieces of %d",
		async (piece) => {
			const [ours, theirs] = memoryTransportPair(piece);
			const seen = new CollectingAcceptor(theirs, { timers: new ManualClock() });
			const publisher = await RtmpPublisher.connect(ours, { url: URL, timers: new ManualClock() });
			const tags: FlvTag[] = [0xfffff0, 0xffffff, 0x1000010, 0xfffffff0, 0x10, 0x8].map((timestampMs, index) => ({
				type: index % 2 === 0 ? 9 : 8,
				timestampMs,
				body: new Uint8Array(9_000).fill(index),
			}));
			for (const tag of tags) {
				await publisher.sendTag(tag);
			}
			await publisher.close({ final: true });
			await seen.ended;
			expect(seen.tags).toEqual(tags);
			expect(seen.requests).toEqual([
				{
					app: "live",
					streamKey: "TOP-SECRET?a=b",
					tcUrl: "rtmp://example.com:1936/live",
					flashVer: "FMLE/3.0 (compatible; Tandem)",
				},
			]);
			expect(seen.endings).toEqual(["the publisher ended the stream"]);
			expect(seen.errors).toEqual([]);
			expect(await publisher.closed).toMatchObject({ kind: "local" });
		},
	);
});

describe("rtmp publisher: being refused", () => {
	const publishRefusals: readonly [string, Amf0Object, unknown, string][] = [
		[
			"a wrong key",
			info("error", "NetStream.Publish.BadName", "no such stream TOP-SECRET"),
			RtmpRefusedError,
			"no such stream ***",
		],
		[
			"a denial",
			info("error", "NetStream.Publish.Denied", "denied"),
			RtmpRefusedError,
			"NetStream.Publish.Denied denied",
		],
		["an unknown code", info("error", "Whatever.It.Is", ""), RtmpRefusedError, "got Whatever.It.Is"],
		[
			"someone publishing already",
			info("error", "NetStream.Publish.BadName", "Already publishing"),
			RtmpBusyError,
			"Already publishing",
		],
		[
			"SRS being busy",
			info("error", "NetStream.Publish.BadName", "stream /live/TOP-SECRET?a=b is busy"),
			RtmpBusyError,
			"stream /live/*** is busy",
		],
		[
			"Wowza being busy",
			info("error", "NetStream.Publish.BadName", "Stream name is already in use: TOP-SECRET"),
			RtmpBusyError,
			"already in use: ***",
		],
		[
			"node-media-server being busy",
			info("error", "NetStream.Publish.BadConnection", "Connection already publishing"),
			RtmpBusyError,
			"already publishing",
		],
		["a failure of the moment", info("error", "NetStream.Failed", "disk full"), Error, "disk full"],
	];

	it.each([
		["NetStream.Publish.BadName", "", true],
		["NetStream.Publish.BadName", "Stream TOP-SECRET", true],
		["NetStream.Publish.BadName", "Bad name", true],
		["NetStream.Publish.BadName", "invalid stream key", false],
		["NetStream.Publish.BadName", "the stream key is not valid", false],
		["NetStream.Publish.BadName", "No such stream", false],
		["NetStream.Publish.BadName", "Stream not found", false],
		["NetStream.Publish.BadName", "Your key has expired", false],
		["NetStream.publish.Unauthorized", "Authorization required.", false],
		["NetStream.Publish.Denied", "", false],
	])("answered %s %j, says whether the server may hold another session still: %s", async (code, words, mayBeBusy) => {
		const { connecting, server } = start();
		await acceptUntil(server, "publish");
		await server.nextCommand("publish");
		await server.call(ON_STREAM, "onStatus", 0, null, info("error", code, words));
		expect(await failure(connecting)).toMatchObject({ name: "RtmpRefusedError", code, mayBeBusy });
	});

	it.each([
		["right after the start", 0, true],
		["in mid-stream", 3_000, undefined],
	])("told BadName without a word %s, takes it for what it may be", async (_, afterMs, mayBeBusy) => {
		const { publisher, server, timers } = await publishing();
		await timers.advance(afterMs);
		await server.call(ON_STREAM, "onStatus", 0, null, info("error", "NetStream.Publish.BadName", ""));
		const reason = await publisher.closed;
		expect(reason.kind).toBe("refused");
		expect(reason.mayBeBusy).toBe(mayBeBusy);
	});

	it("calls a close in place of an answer to publish curt", async () => {
		const { connecting, server } = start();
		await acceptUntil(server, "publish");
		await server.nextCommand("publish");
		await server.end();
		server.close();
		const error = await failure(connecting);
		expect(error).toBeInstanceOf(RtmpCurtError);
		expect(error.message).toBe("rtmp: expected publish to be answered, got the end of the connection");
	});

	it.each(publishRefusals)("tells %s for what it is, without the key", async (_, status, kind, message) => {
		const { connecting, server } = start();
		await acceptUntil(server, "publish");
		await server.nextCommand("publish");
		await server.call(ON_STREAM, "onStatus", 0, null, status);
		const error = await failure(connecting);
		expect(error.constructor).toBe(kind);
		expect(error.message).toMatch(/^rtmp: expected publish to succeed, got/);
		expect(error.message).toContain(message);
		expect(error.message).not.toContain("SECRET");
		await server.ended();
	});

	it("takes a connect that is rejected for final", async () => {
		const { connecting, server } = start();
		await acceptUntil(server, "connect");
		await server.call(
			COMMANDS,
			"_error",
			1,
			null,
			info("error", "NetConnection.Connect.Rejected", "no such application"),
		);
		const error = await failure(connecting);
		expect(error).toBeInstanceOf(RtmpRefusedError);
		expect((error as RtmpRefusedError).code).toBe("NetConnection.Connect.Rejected");
	});

	it("does not mind an error to what it did not wait for", async () => {
		const { connecting, server } = start();
		await acceptUntil(server, "createStream");
		await server.call(
			COMMANDS,
			"_error",
			2,
			null,
			info("error", "NetConnection.Call.Failed", "what is releaseStream?"),
		);
		await server.call(COMMANDS, "_result", 3, null);
		await server.call(COMMANDS, "_result", 4, null, 1);
		await server.call(ON_STREAM, "onStatus", 0, null, START);
		await connecting;
	});

	it("reads why it was refused even when the server left before our next command was out", async () => {
		const { connecting, server } = start();
		await acceptUntil(server, "createStream");
		await server.call(COMMANDS, "onStatus", 0, null, info("error", "NetStream.Publish.Denied", "no"));
		await server.end();
		server.close();
		expect(await failure(connecting)).toBeInstanceOf(RtmpRefusedError);
	});

	it("calls Publish.Start followed by a close a refusal", async () => {
		const { publisher, server } = await publishing();
		server.close();
		expect(await publisher.closed).toMatchObject({ kind: "refused", code: CLOSED_AFTER_START });
		await expect(publisher.sendTag(AAC_FRAME)).rejects.toThrow(
			"rtmp: expected to send on an open connection, got one that is closed",
		);
	});

	it("calls a close later on a broken line", async () => {
		const { publisher, server, timers } = await publishing();
		await timers.advance(3_000);
		server.close();
		expect((await publisher.closed).kind).toBe("broken");
		expect(timers.pending).toBe(0);
	});

	it.each([
		["an error status", "onStatus", info("error", "NetStream.Publish.Rejected", "bad codec on TOP-SECRET"), "refused"],
		["a passing error", "onStatus", info("error", "NetConnection.Connect.AppShutdown", "restart"), "broken"],
		["a closing of the connection", "onStatus", info("status", "NetConnection.Connect.Closed", ""), "broken"],
		["close", "close", null, "broken"],
	])("heeds %s in mid-stream", async (_, name, status, kind) => {
		const { publisher, server, timers } = await publishing();
		await timers.advance(3_000);
		await server.call(ON_STREAM, "onStatus", 0, null, info("status", "NetStream.Publish.Notify", "fine"));
		await server.call(ON_STREAM, name, 0, null, status);
		const reason = await publisher.closed;
		expect(reason.kind).toBe(kind);
		expect(reason.message).not.toContain("SECRET");
	});
});

describe("rtmp publisher: being sent elsewhere", () => {
	it("reads a redirect, wherever it comes", async () => {
		const { connecting, server } = start();
		await acceptUntil(server, "publish");
		const ex = { code: 302, redirect: "rtmp://other.example.com:1937/live" };
		await server.call(
			COMMANDS,
			"onStatus",
			0,
			null,
			info("error", "NetConnection.Connect.Rejected", "RTMP 302 Redirect", { ex }),
		);
		const error = await failure(connecting);
		expect(error).toBeInstanceOf(RtmpRedirectError);
		expect((error as RtmpRedirectError).next).toMatchObject({
			host: "other.example.com",
			port: 1937,
			streamKey: URL.streamKey,
		});
		expect(error.message).not.toContain("SECRET");
	});

	it("refuses a redirect to nowhere", async () => {
		const { connecting, server } = start();
		await acceptUntil(server, "connect");
		const ex = { code: 302, redirect: "http://other.example.com" };
		await server.call(COMMANDS, "_error", 1, null, info("error", "NetConnection.Connect.Rejected", "", { ex }));
		expect(await failure(connecting)).toBeInstanceOf(RtmpRefusedError);
	});

	it("asks for no password where it has none", async () => {
		const { connecting, server } = start({ url: parseRtmpUrl("rtmp://example.com/live/KEY") });
		await acceptUntil(server, "connect");
		const description = "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ";
		await server.call(COMMANDS, "_error", 1, null, info("error", "NetConnection.Connect.Rejected", description));
		expect((await failure(connecting)).message).toBe(
			"rtmp: expected a user and password in the URL, which the server asks for, got none",
		);
	});

	it("goes through redirect and authentication to the end, each over a new connection", async () => {
		const opened: string[] = [];
		const rounds = [
			(server: ScriptedPeer) => {
				const ex = { code: 302, redirect: "rtmp://other.example.com/live" };
				return server.call(COMMANDS, "_error", 1, null, info("error", "NetConnection.Connect.Rejected", "", { ex }));
			},
			(server: ScriptedPeer) =>
				server.call(
					COMMANDS,
					"_error",
					1,
					null,
					info("error", "NetConnection.Connect.Rejected", "[ code=403 need auth; authmod=adobe ]"),
				),
			(server: ScriptedPeer) =>
				server.call(
					COMMANDS,
					"_error",
					1,
					null,
					info(
						"error",
						"NetConnection.Connect.Rejected",
						"[ authmod=adobe ] : ?reason=needauth&user=u&salt=S&challenge=C&opaque=O",
					),
				),
		];
		const open = async (url: RtmpUrl) => {
			opened.push(url.tcUrl);
			const [ours, theirs] = memoryTransportPair();
			const server = new ScriptedPeer(theirs);
			const round = rounds.shift();
			(round === undefined
				? acceptUntil(server, "start")
				: acceptUntil(server, "connect").then(() => round(server))
			).catch(() => {});
			return ours;
		};
		const publisher = await RtmpPublisher.dial(open, { url: URL, timers: new ManualClock() });
		expect(opened.slice(0, 3)).toEqual([
			"rtmp://example.com:1936/live",
			"rtmp://other.example.com/live",
			"rtmp://other.example.com/live?authmod=adobe&user=u",
		]);
		const proof = opened[3]?.split("?", 2)[1] ?? "";
		const ours = new URLSearchParams(proof).get("challenge") ?? "";
		expect(ours).toMatch(/^[0-9a-f]{8}$/);
		const challenge = { kind: "prove", salt: "S", challenge: "C", opaque: "O" } as const;
		expect(proof).toBe(adobeProofQuery({ user: "u", password: "hunter2" }, challenge, ours));
		await publisher.close({ final: false });
	});

	it("takes a proof that was not good enough for final", async () => {
		const { connecting, server } = start();
		await acceptUntil(server, "connect");
		const description = "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed&opaque=x";
		await server.call(COMMANDS, "_error", 1, null, info("error", "NetConnection.Connect.Rejected", description));
		const error = await failure(connecting);
		expect(error).toBeInstanceOf(RtmpRefusedError);
		expect(error).not.toBeInstanceOf(RtmpAuthRequiredError);
		expect(error.message).not.toContain("hunter2");
	});

	it("does not go round in circles", async () => {
		let opened = 0;
		const open = async () => {
			opened += 1;
			const [ours, theirs] = memoryTransportPair();
			const server = new ScriptedPeer(theirs);
			const ex = { redirect: "rtmp://example.com/live" };
			acceptUntil(server, "connect")
				.then(() =>
					server.call(COMMANDS, "_error", 1, null, info("error", "NetConnection.Connect.Rejected", "", { ex })),
				)
				.catch(() => {});
			return ours;
		};
		const error = await failure(RtmpPublisher.dial(open, { url: URL, timers: new ManualClock() }));
		expect(error).toBeInstanceOf(RtmpRefusedError);
		expect(opened).toBe(6);
	});
});

describe("rtmp publisher: time and endings", () => {
	const timeouts = { handshakeMs: 1_000, connectMs: 2_000, createStreamMs: 3_000, publishMs: 4_000 };

	it.each<[string, (server: ScriptedPeer) => Promise<void>, number, string]>([
		["at once", async () => {}, 1_000, "the server's handshake within 1000 ms"],
		["after the handshake", (server) => acceptUntil(server, "connect"), 2_000, "connect's answer within 2000 ms"],
		["after connect", (server) => acceptUntil(server, "createStream"), 3_000, "createStream's answer within 3000 ms"],
		["after createStream", (server) => acceptUntil(server, "publish"), 4_000, "NetStream.Publish.Start within 4000 ms"],
	])("leaves a server that falls silent %s", async (_, say, ms, expected) => {
		const { connecting, server, timers } = start({ timeouts });
		await say(server);
		await timers.advance(ms - 1);
		await timers.advance(1);
		const error = await failure(connecting);
		expect(error.message).toBe(`rtmp: expected ${expected}, got nothing`);
		expect(error).not.toBeInstanceOf(RtmpRefusedError);
		expect(timers.pending).toBe(0);
	});

	it("leaves a server that takes nothing any more", async () => {
		const [ours, theirs] = memoryTransportPair();
		const writer = ours.writable.getWriter();
		let open = true;
		const stuck: ByteTransport = {
			...ours,
			writable: new WritableStream({ write: (bytes) => (open ? writer.write(bytes) : new Promise<void>(() => {})) }),
		};
		const timers = new ManualClock();
		const connecting = RtmpPublisher.connect(stuck, { url: URL, timers, timeouts: { stallMs: 8_000 } });
		await acceptUntil(new ScriptedPeer(theirs), "start");
		const publisher = await connecting;
		await timers.advance(60_000);
		open = false;
		const sending = failure(publisher.sendTag(AAC_FRAME));
		await timers.advance(8_000);
		await timers.advance(2_000);
		expect((await sending).message).toBe(
			"rtmp: expected the peer to take what was sent within 8000 ms, got no progress",
		);
		expect((await publisher.closed).kind).toBe("broken");
	});

	it("gives up connecting when told to", async () => {
		const controller = new AbortController();
		const { connecting, server, timers } = start({ signal: controller.signal });
		await acceptUntil(server, "connect");
		controller.abort(new Error("no longer wanted"));
		expect((await failure(connecting)).message).toBe("rtmp: expected to go on connecting, got aborted");
		expect(timers.pending).toBe(0);
		const late = start({ signal: controller.signal });
		expect((await failure(late.connecting)).message).toBe("rtmp: expected to go on connecting, got aborted");
	});

	it("does not mind the signal once connected", async () => {
		const controller = new AbortController();
		const { publisher, server } = await publishing({ signal: controller.signal });
		controller.abort();
		await publisher.sendTag(AAC_FRAME);
		await server.nextOfType(8);
	});

	it("says FCUnpublish and deleteStream at the end of a broadcast, once", async () => {
		const { publisher, server, timers } = await publishing();
		const closing = Promise.all([publisher.close({ final: true }), publisher.close({ final: true })]);
		expect((await server.nextCommand("FCUnpublish")).args).toEqual([null, "TOP-SECRET?a=b"]);
		expect((await server.nextCommand("deleteStream")).args).toEqual([null, 1]);
		expect(await server.next()).toBeUndefined();
		server.close();
		await closing;
		expect(await publisher.closed).toMatchObject({ kind: "local" });
		expect(timers.pending).toBe(0);
	});

	it("does not wait for ever for a server to take its goodbye", async () => {
		const { publisher, timers } = await publishing({ timeouts: { closeMs: 700 } });
		const closing = publisher.close({ final: true });
		await timers.advance(700);
		await closing;
	});

	it("just drops a line that is to be taken up again", async () => {
		const { publisher, server } = await publishing();
		await publisher.close({ final: false });
		expect(await server.next()).toBeUndefined();
		expect(await publisher.closed).toMatchObject({ kind: "local" });
	});

	it.each([
		[
			"speaks another protocol",
			(server: ScriptedPeer) => server.send(new TextEncoder().encode("HTTP/1.1 400 Bad Request")),
			"rtmp handshake: expected version 3, got 72",
		],
		[
			"leaves in mid-handshake",
			async (server: ScriptedPeer) => {
				await server.send(Uint8Array.of(3));
				await server.end();
			},
			"rtmp handshake: expected the peer's part of it, got the end of the connection",
		],
		[
			"leaves before connect's answer",
			async (server: ScriptedPeer) => {
				await acceptUntil(server, "connect");
				server.close();
			},
			"rtmp: expected connect to be answered, got the end of the connection",
		],
		[
			"answers with what is no AMF0",
			async (server: ScriptedPeer) => {
				await acceptUntil(server, "connect");
				await server.message(20, writeAmf0(["_result"]).slice(0, 4), COMMANDS);
			},
			"bytes: expected 7 more bytes at offset 3, got 1",
		],
		[
			"answers createStream without a stream",
			async (server: ScriptedPeer) => {
				await acceptUntil(server, "createStream");
				await server.call(COMMANDS, "_result", 4, null, "one");
			},
			"rtmp: expected createStream's answer to hold a stream id, got none",
		],
	])("gives up on a server that %s", async (_, say, message) => {
		const { connecting, server, timers } = start();
		await say(server);
		expect((await failure(connecting)).message).toBe(message);
		expect(timers.pending).toBe(0);
	});
});
