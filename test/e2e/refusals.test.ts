import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { TAG_TYPE } from "../../media/flv/tag.ts";
import { flvHeader } from "../../media/flv/tag-writer.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { signRoleToken } from "../../worker/auth/role-token.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { makeMovingClip } from "../support/peers/clips.ts";
import { DestinationServer } from "../support/peers/destination-server.ts";
import { publishFile } from "../support/peers/ffmpeg-publisher.ts";
import { connectPublisher, endOf, refusalOf } from "../support/peers/rtmp-client.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { decodeSound } from "../support/program/sound.ts";
import { expectUnbroken } from "../support/program/unbroken.ts";
import { readMediaTags } from "../support/rtmp/flv-file.ts";
import { hex } from "../support/rtmp/hex.ts";
import { chunksOf, ScriptedPeer } from "../support/rtmp/scripted-peer.ts";
import { dialTcp } from "../support/rtmp/tcp-transport.ts";
import { type LiveBroadcast, type SystemUnderTest, startSystem } from "../support/system/broadcast.ts";

/**
 * A broadcast is on air, its host without a sound track. Beside it everything is tried that must be refused: each gets a clear answer, and after each
 * the program has gone on.
 */

const FRAME_RATE = 30;
const TOLD_WITHIN_MS = 30_000;
const AUDIO_SECONDS = 3;
/** A publisher without a picture is refused after 10 s (worker/router/ingest-guard.ts). */
const NO_VIDEO_WITHIN_MS = 25_000;

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
let tandem: SystemUnderTest;
let broadcast: LiveBroadcast;
let destination: DestinationServer;
let rtmpUrl = "";
let rtmpPort = 0;

beforeAll(async () => {
	const clip = folder.file("silent.flv");
	const shape = { width: 640, height: 360, frameRate: FRAME_RATE };
	await Promise.all([
		makeMovingClip(clip, 440, { ...shape, seconds: 20, sound: "none" }),
		makeMovingClip(folder.file("blind.flv"), 440, { ...shape, seconds: AUDIO_SECONDS, picture: false }),
	]);
	tandem = undo.use(await startSystem(folder.file("system")));
	rtmpUrl = tandem.system.rtmpUrl;
	rtmpPort = Number(new URL(rtmpUrl.replace("rtmp:", "http:")).port);
	destination = undo.use(await DestinationServer.listen());
	broadcast = await tandem.goLive({
		title: "Refusals",
		width: 640,
		height: 360,
		frameRate: FRAME_RATE,
		destinations: [{ url: destination.url, streamKey: "program" }],
	});
	undo.use(publishFile(clip, broadcast.publishUrl("host"), { loop: true }));
	await broadcast.untilSeen(["host"]);
	await broadcast.untilLive();
});

afterAll(() => undo.disposeAsync());

const problemSchema = z.object({ type: z.string(), title: z.string(), status: z.number(), detail: z.string() });

async function ask(method: string, path: string, body?: unknown, token = tandem.system.adminToken) {
	const response = await fetch(new URL(path, tandem.system.apiUrl), {
		method,
		headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
	const answer: unknown = await response.json();
	return { status: response.status, type: response.headers.get("content-type"), answer };
}

/** The problem document that a request is answered with. */
async function problem(method: string, path: string, body?: unknown, token?: string) {
	const { status, type, answer } = await ask(method, path, body, token);
	expect(type).toContain("application/problem+json");
	const document = problemSchema.parse(answer);
	expect(document.status).toBe(status);
	return document;
}

function streamKey(person: "host" | "guest"): string {
	return broadcast.created.ingest[person].rtmp.streamKey;
}

async function roleToken(role: "host" | "guest" | "viewer", expiresInS: number, bid = broadcast.id): Promise<string> {
	const secrets: unknown = JSON.parse(await readFile(folder.file("system/secrets.json"), "utf8"));
	const { signingKey } = z.object({ signingKey: z.string() }).parse(secrets);
	return await signRoleToken({ bid, role, exp: Math.floor(Date.now() / 1_000) + expiresInS }, signingKey);
}

function logText(): Promise<string> {
	return readFile(tandem.system.logFile, "utf8");
}

describe("beside a broadcast on air", () => {
	/** After every refusal the program goes on, in the same session. */
	afterEach(async () => {
		const before = destination.latest.videoFrames;
		await waitFor("the program to go on", TOLD_WITHIN_MS, () => destination.latest.videoFrames > before || undefined);
		expect(destination.sessions.length).toBe(1);
		const host = (await broadcast.compositorStats()).people.find(({ id }) => id === "host");
		expect(host).toMatchObject({ connected: true, picture: "live" });
	});

	describe("a publisher is told why", () => {
		it("when its key is wrong", async () => {
			const wrong = streamKey("host").replace(/.{24}$/, "000000000000000000000000");
			const refusal = await refusalOf(rtmpUrl, wrong);
			expect(refusal.code).toBe("NetStream.Publish.BadName");
			expect(refusal.message).not.toContain(wrong);
			expect(await refusalOf(rtmpUrl, "secret")).toMatchObject({ code: "NetStream.Publish.BadName" });
			expect(await logText()).not.toContain(wrong);
		});

		it("when its token has expired", async () => {
			const valid = await connectPublisher(rtmpUrl, await roleToken("guest", 60));
			await valid.close({ final: true });
			const refusal = await refusalOf(rtmpUrl, await roleToken("guest", -60));
			expect(refusal.code).toBe("NetStream.Publish.BadName");
			expect(refusal.message).toContain("expired");
		});

		it("when its token is for another role", async () => {
			expect((await refusalOf(rtmpUrl, await roleToken("viewer", 60))).code).toBe("NetStream.Publish.BadName");
			const path = `/api/broadcasts/${broadcast.id}/media/host?direction=publish`;
			expect(await refusedUpgrade(path, await roleToken("guest", 60))).toMatchObject({ status: 403 });
			expect(await refusedUpgrade(path, streamKey("guest"))).toMatchObject({ status: 403 });
			expect(
				await problem("POST", `/api/broadcasts/${broadcast.id}/end`, undefined, await roleToken("viewer", 60)),
			).toMatchObject({
				status: 403,
			});
		});

		it("when its broadcast does not exist", async () => {
			const nowhere = streamKey("host").replace(broadcast.id, "0000000000000000");
			expect((await refusalOf(rtmpUrl, nowhere)).code).toBe("NetStream.Publish.BadName");
			const token = await roleToken("host", 60, "0000000000000000");
			expect((await refusalOf(rtmpUrl, token)).code).toBe("NetStream.Publish.BadName");
		});

		it.each([
			["in the classic form", "1c010000000000000126"],
			["in Enhanced RTMP's form", "906876633101"],
		])("when its picture is HEVC, %s", async (_form, body) => {
			const publisher = await connectPublisher(rtmpUrl, streamKey("guest"));
			await publisher.sendTag({ type: TAG_TYPE.video, timestampMs: 0, body: hex(body) });
			const end = await endOf(publisher, TOLD_WITHIN_MS);
			expect(end).toMatchObject({ kind: "refused", code: "NetStream.Publish.Denied" });
			expect(end.message).toContain("HEVC");
		});

		it("when it has no picture", async () => {
			const publisher = await connectPublisher(rtmpUrl, streamKey("guest"));
			for (const tag of await readMediaTags(folder.file("blind.flv"))) {
				await publisher.sendTag(tag);
			}
			const end = await endOf(publisher, NO_VIDEO_WITHIN_MS);
			expect(end).toMatchObject({ kind: "refused", code: "NetStream.Publish.Denied" });
			expect(end.message).toContain("expected a video track within 10 s, got audio only");
		});
	});

	describe("what is no RTMP ends that one connection", () => {
		it("garbage", async () => {
			const socket = connect({ host: "127.0.0.1", port: rtmpPort });
			socket.on("error", () => socket.destroy());
			socket.end("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");
			socket.resume();
			await once(socket, "close");
			await waitFor("the log to say so", TOLD_WITHIN_MS, async () =>
				(await logText()).includes("expected version 3, got 71") ? true : undefined,
			);
		});

		it("a command larger than any command is", async () => {
			const peer = await handshaken();
			await peer.send(chunksOf(header(3, 20, 300_000), new Uint8Array(300_000), 128));
			await peer.ended();
			expect(await logText()).toMatch(/rtmp.*expected.*262144.*got 300000/);
		});

		it("messages that together would take more memory than one connection may have", async () => {
			const peer = await handshaken();
			for (const chunkStreamId of [4, 5, 6]) {
				await peer.send(chunksOf(header(chunkStreamId, 9, 0xffffff), new Uint8Array(128), 128));
			}
			await peer.ended();
			expect(await logText()).toMatch(/rtmp chunk: expected at most .*got/);
		});

		it("a media message above 16 MiB, with a close code that says so", async () => {
			const path = `/api/broadcasts/${broadcast.id}/media/guest?direction=publish`;
			const socket = openSocket(path, streamKey("guest"));
			await once(socket, "open");
			const closed = once(socket, "close");
			socket.send(flvHeader());
			socket.send(new Uint8Array(17 * 1024 * 1024));
			const [code, reason] = await closed;
			expect(code).toBe(CLOSE.tooLarge.code);
			expect(String(reason)).toContain("expected at most");
		});
	});

	describe("the API answers with a problem document", () => {
		it("when there is no such layout", async () => {
			const path = `/api/broadcasts/${broadcast.id}/layout`;
			const refused = await problem("PUT", path, { layout: "circle" });
			expect(refused.status).toBe(400);
			expect(JSON.stringify(await ask("PUT", path, { layout: "circle" }))).toContain("layout");
			const { answer } = await ask("GET", `/api/broadcasts/${broadcast.id}`);
			expect(answer).toMatchObject({ layout: "landscape" });
		});

		it("when there is no such broadcast", async () => {
			for (const [method, path] of [
				["GET", ""],
				["POST", "/start"],
				["POST", "/end"],
				["GET", "/stats"],
				["DELETE", ""],
			] as const) {
				expect((await problem(method, `/api/broadcasts/0000000000000000${path}`)).status).toBe(404);
			}
		});

		it("when a destination is none that may be published to", async () => {
			const path = `/api/broadcasts/${broadcast.id}/destinations`;
			const secret = "k3y-in-the-path";
			const refused = await problem("POST", path, { url: `http://example.com/live/${secret}` });
			expect(refused.status).toBe(422);
			expect(JSON.stringify(refused)).not.toContain(secret);
		});

		it("when the token is wrong", async () => {
			expect((await problem("GET", `/api/broadcasts/${broadcast.id}`, undefined, "wrong")).status).toBe(401);
		});

		it("when a broadcast that has ended is started; starting twice and ending twice change nothing", async () => {
			const { id } = await tandem.api.create({ title: "Another" });
			for (const [command, status] of [
				["start", "live"],
				["start", "live"],
				["end", "ended"],
				["end", "ended"],
			] as const) {
				expect(await ask("POST", `/api/broadcasts/${id}/${command}`)).toMatchObject({
					status: 200,
					answer: { status },
				});
			}
			expect((await problem("POST", `/api/broadcasts/${id}/start`)).status).toBe(410);
		});
	});
});

it("a host without sound is seen, and the program has a sound track without a gap, which is silent", async () => {
	const { program: made } = await broadcast.untilProgramGoesOn(1);
	await broadcast.end();
	await waitFor("the destination's session to end", TOLD_WITHIN_MS, () => destination.latest.ended);
	const program = folder.file("program.flv");
	await destination.latest.writeTo(program);
	await expectUnbroken(program, { frameRate: FRAME_RATE, cuts: 2, leftOut: made.droppedFrames });
	const { samples } = await decodeSound(program);
	// Until then the publisher without a picture could be heard.
	const lastSecond = samples.subarray(-48_000);
	expect(lastSecond.length).toBe(48_000);
	expect(lastSecond.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0)).toBeLessThan(0.001);
});

function header(chunkStreamId: number, typeId: number, length: number) {
	return { format: 0, chunkStreamId, timestampMs: 0, length, typeId, streamId: 0 } as const;
}

async function handshaken(): Promise<ScriptedPeer> {
	const peer = new ScriptedPeer(await dialTcp(rtmpPort));
	await peer.handshakeAsClient();
	return peer;
}

function openSocket(path: string, token: string): WebSocket {
	const url = new URL(path, tandem.system.apiUrl);
	url.protocol = "ws:";
	const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
	socket.on("error", () => {}); // What counts is the answer or the close code.
	return socket;
}

/** The HTTP answer to a WebSocket that is refused. */
async function refusedUpgrade(path: string, token: string): Promise<{ status: number | undefined }> {
	const socket = openSocket(path, token);
	const [, response] = await once(socket, "unexpected-response");
	socket.terminate();
	return { status: z.object({ statusCode: z.number() }).parse(response).statusCode };
}
