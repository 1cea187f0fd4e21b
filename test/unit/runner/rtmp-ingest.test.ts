import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FlvTag } from "../../../media/flv/tag.ts";
import { tagKind } from "../../../media/flv/tag-kind.ts";
import { isFlvHeader, readSingleTag } from "../../../media/flv/tag-reader.ts";
import { RtmpIngest } from "../../../runner/rtmp-ingest/rtmp-ingest.ts";
import { CLOSE } from "../../../worker/protocol/close-codes.ts";
import { type FakeEdge, startFakeEdge } from "./fake-edge.ts";

const EVENTUALLY = { timeout: 20_000, interval: 20 };
const KEY = "0123456789abcdef-host-abcdefghjkmnpqrstvwxyz01";
/** Longer than any test: each ends its publisher itself. */
const PUBLISH_S = 60;

let edge: FakeEdge;
let ingest: RtmpIngest;
let port: number;
const lines: string[] = [];
const publishers: Publisher[] = [];

interface Publisher {
	readonly process: ChildProcess;
	readonly stderr: () => string;
	readonly exited: Promise<unknown>;
}

beforeEach(async () => {
	lines.length = 0;
	edge = await startFakeEdge();
	ingest = new RtmpIngest({ apiUrl: edge.apiUrl, log: (line) => lines.push(line), maxConnections: 3 });
	port = await ingest.listen(0, "127.0.0.1");
});

afterEach(async () => {
	for (const publisher of publishers.splice(0)) {
		publisher.process.kill("SIGKILL");
		await publisher.exited;
	}
	await ingest.close();
	await edge.close();
});

interface Encoding {
	readonly codec: "libx264" | "flv1";
	/** Frames from key frame to key frame, of which there are 20 a second. */
	readonly group: number;
}

/** ffmpeg in real time: a tiny picture, with a key frame every quarter of a second unless told otherwise, and a tone. */
function publish(streamKey: string, encoding: Partial<Encoding> = {}): Publisher {
	const { codec, group }: Encoding = { codec: "libx264", group: 5, ...encoding };
	const child = spawn(
		"ffmpeg",
		[
			["-hide_banner", "-loglevel", "verbose", "-nostdin", "-re"],
			["-f", "lavfi", "-i", "testsrc=size=64x48:rate=20", "-f", "lavfi", "-i", "sine=sample_rate=48000"],
			["-t", String(PUBLISH_S), "-c:v", codec, "-g", String(group), "-bf", "0"],
			codec === "libx264" ? ["-preset", "ultrafast", "-pix_fmt", "yuv420p"] : [],
			["-c:a", "aac", "-f", "flv", `rtmp://127.0.0.1:${port}/live/${streamKey}`],
		].flat(),
		{ stdio: ["ignore", "ignore", "pipe"] },
	);
	let stderr = "";
	child.stderr.on("data", (bytes) => {
		stderr += String(bytes);
	});
	const publisher = { process: child, stderr: () => stderr, exited: once(child, "exit") };
	publishers.push(publisher);
	return publisher;
}

function tagsOf(socketIndex: number): FlvTag[] {
	return (edge.messages[socketIndex] ?? []).slice(1).map((message) => readSingleTag(message));
}

function kindsOf(socketIndex: number): string[] {
	return tagsOf(socketIndex).map((tag) => tagKind(tag));
}

function expectNoKeyTold(publisher: Publisher): void {
	expect(lines.join("\n")).not.toContain(KEY);
	// ffmpeg shows its own command line's address, but not what it was answered.
	const answers = publisher
		.stderr()
		.split("\n")
		.filter((line) => line.includes("Server error"));
	expect(answers.join("\n")).not.toContain(KEY);
}

describe("RTMP ingest with ffmpeg as publisher", () => {
	it("passes the stream on as WS-FLV to the place the key names, the key being the bearer token", async () => {
		const publisher = publish(KEY);
		await vi.waitFor(() => expect(kindsOf(0).length).toBeGreaterThan(40), EVENTUALLY);
		const [request] = edge.requests;
		expect(request?.url).toMatch(
			/^\/api\/broadcasts\/0123456789abcdef\/media\/host\?direction=publish&session=[\w-]{36}$/,
		);
		expect(request?.headers.authorization).toBe(`Bearer ${KEY}`);
		expect(isFlvHeader(edge.messages[0]?.[0] ?? new Uint8Array())).toBe(true);
		const kinds = kindsOf(0);
		expect(kinds.slice(0, 3)).toEqual(["video-config", "audio-config", "video-key"]);
		expect(kinds).toEqual(expect.arrayContaining(["audio", "video-inter"]));
		expectNoKeyTold(publisher);
	});

	it("closes the media socket in the normal way when the publisher goes", async () => {
		const publisher = publish(KEY);
		await vi.waitFor(() => expect(kindsOf(0)).toContain("video-key"), EVENTUALLY);
		const closed = once(edge.sockets[0] as NodeJS.EventEmitter, "close");
		publisher.process.kill("SIGKILL");
		expect((await closed)[0]).toBe(CLOSE.done.code);
	});

	it("keeps the publisher over a broken line, going on with configurations at a key frame", async () => {
		const publisher = publish(KEY);
		await vi.waitFor(() => expect(kindsOf(0).length).toBeGreaterThan(10), EVENTUALLY);
		edge.sockets[0]?.terminate();
		await vi.waitFor(() => expect(kindsOf(1).length).toBeGreaterThan(10), EVENTUALLY);
		expect(kindsOf(1).slice(0, 3)).toEqual(["video-config", "audio-config", "video-key"]);
		const [first, , third] = tagsOf(1);
		expect(first?.timestampMs).toBe(third?.timestampMs);
		expect(publisher.process.exitCode).toBeNull();
	});

	it("begins a mended line with the group so far, so that nobody waits for an encoder's next key frame", async () => {
		publish(KEY, { group: 1_000 });
		await vi.waitFor(() => expect(kindsOf(0).length).toBeGreaterThan(60), EVENTUALLY);
		edge.sockets[0]?.terminate();
		await vi.waitFor(() => expect(kindsOf(1).length).toBeGreaterThan(100), EVENTUALLY);
		const pictures = (socketIndex: number) => tagsOf(socketIndex).filter((tag) => tagKind(tag).startsWith("video-"));
		const [, firstKey] = pictures(0);
		const [config, key, ...others] = pictures(1);
		expect(key).toEqual(firstKey);
		expect(config?.timestampMs).toBe(key?.timestampMs);
		// No picture is missing, from the first one on, at its true time.
		const times = [key, ...others].map((tag) => tag?.timestampMs ?? Number.NaN);
		expect(times.every((ms, at) => ms === (times[0] ?? 0) + 50 * at)).toBe(true);
		expect(others.every((tag) => tagKind(tag) === "video-inter")).toBe(true);
		const sound = tagsOf(1).filter((tag) => tagKind(tag) === "audio");
		const steps = sound.slice(1).map((tag, at) => tag.timestampMs - (sound[at]?.timestampMs ?? Number.NaN));
		expect(Math.max(...steps)).toBeLessThanOrEqual(24);
		expect(lines.join("\n")).not.toContain("left out");
	});

	it.each([
		[401, "The token is not valid", "NetStream.Publish.BadName|The token is not valid"],
		[410, "The broadcast has ended", "The broadcast has ended"],
	])("turns a publisher away when the Worker answers %i, telling it why", async (status, title, told) => {
		edge.refuseWith = { status, body: JSON.stringify({ title, detail: `key ${KEY} is of no use` }) };
		const publisher = publish(KEY);
		await publisher.exited;
		expect(publisher.stderr()).toMatch(new RegExp(`Server error: .*${told}`));
		expect(edge.requests).toHaveLength(1);
		expectNoKeyTold(publisher);
	});

	it("turns away a key that names no stream, without asking the Worker", async () => {
		const publisher = publish("whatever");
		await publisher.exited;
		expect(publisher.stderr()).toContain("expected a stream key or token of this service");
		expect(edge.requests).toEqual([]);
	});

	it("tells the publisher in mid-stream why the Router closed it, and does not come back", async () => {
		const publisher = publish(KEY);
		await vi.waitFor(() => expect(kindsOf(0)).toContain("video-key"), EVENTUALLY);
		edge.sockets[0]?.close(CLOSE.badMedia.code, "expected H.264, got something else");
		await publisher.exited;
		expect(lines.join("\n")).toContain("refused: NetStream.Publish.Denied, expected H.264, got something else");
		expect(edge.sockets).toHaveLength(1);
	});

	it("leaves it to the Router to judge a codec it does not know", async () => {
		publish(KEY, { codec: "flv1" });
		await vi.waitFor(() => expect(edge.messages[0]?.length ?? 0).toBeGreaterThan(5), EVENTUALLY);
		const tags = (edge.messages[0] ?? []).slice(1).map((message) => readSingleTag(message));
		expect(tags.some((tag) => tag.type === 9 && ((tag.body[0] ?? 0) & 0x0f) === 2)).toBe(true);
	});
});

describe("the RTMP port", () => {
	it("takes only so many connections", async () => {
		const sockets = Array.from({ length: 5 }, () => connect(port, "127.0.0.1"));
		const ended = sockets.map((socket) => {
			socket.on("error", () => {});
			return once(socket, "close");
		});
		await Promise.all([ended[3], ended[4]]);
		expect(lines.join("\n")).toContain("turned one away");
		for (const socket of sockets) {
			socket.destroy();
		}
	});

	it("ends garbage at once and goes on taking publishers", async () => {
		const socket = connect(port, "127.0.0.1");
		socket.on("error", () => {});
		socket.resume();
		socket.end("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
		await once(socket, "close");
		publish(KEY);
		await vi.waitFor(() => expect(kindsOf(0)).toContain("video-key"), EVENTUALLY);
	});

	it("says so when it is taken", async () => {
		const second = new RtmpIngest({ apiUrl: edge.apiUrl, log: () => {} });
		await expect(second.listen(port, "127.0.0.1")).rejects.toThrow(/EADDRINUSE/);
	});
});
