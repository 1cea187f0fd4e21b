import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FlvTag } from "../../media/flv/tag.ts";
import { PublishRejection, type PublishSink } from "../../rtmp/acceptor.ts";
import { RtmpBusyError, RtmpPublisher } from "../../rtmp/publisher.ts";
import { parseRtmpUrl } from "../../rtmp/url.ts";
import { freePort } from "../../scripts/local-system/ports.ts";
import { CollectingAcceptor } from "../support/rtmp/collecting-sink.ts";
import { readMediaTags } from "../support/rtmp/flv-file.ts";
import { type NginxRtmp, startNginxRtmp } from "../support/rtmp/nginx-rtmp.ts";
import { eventually, PeerProcess, runToEnd } from "../support/rtmp/peer-process.ts";
import { ScriptedPeer } from "../support/rtmp/scripted-peer.ts";
import { dialTcp, listenTcp, type TcpListener } from "../support/rtmp/tcp-transport.ts";

/** Bounds a hang of a peer; each takes a second or two. */
const PEER_MS = 60_000;
const SUITE_MS = 200_000;
const REAL_FOOTAGE = "/work/shared/media/bbb.flv";

/** Where timestamps begin: at zero, and just before each place where the format or the arithmetic changes. */
const STARTS = [
	["zero", 0],
	["just under 2^24 ms", 0x1000000 - 1_000],
	["just under 2^31 ms", 0x80000000 - 1_000],
	["just under 2^32 ms", 0x100000000 - 1_000],
] as const;

let directory = "";
let footage = "";
let tags: FlvTag[] = [];
let nginx: NginxRtmp;

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), "rtmp-peers-"));
	footage = await prepareFootage();
	tags = await readMediaTags(footage);
	nginx = await startNginxRtmp(directory, SUITE_MS);
});

afterAll(async () => {
	await nginx.stop();
	await rm(directory, { recursive: true });
});

async function prepareFootage(): Promise<string> {
	if (existsSync(REAL_FOOTAGE)) {
		return REAL_FOOTAGE;
	}
	const made = join(directory, "made.flv");
	const picture = "-f lavfi -i testsrc2=size=640x360:rate=25:duration=4";
	const sound = "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=4";
	// Small, so that no acknowledgement is due, and without B-frames, whose negative first times GStreamer shifts.
	const encoding = "-c:v libx264 -preset veryfast -b:v 500k -bf 0 -g 50 -pix_fmt yuv420p -c:a aac -ac 2";
	await runToEnd(
		"ffmpeg",
		["-v", "error", ...`${picture} ${sound} ${encoding}`.split(" "), "-f", "flv", made],
		PEER_MS,
	);
	return made;
}

interface Packets {
	readonly video: readonly number[];
	readonly audio: readonly number[];
}

/** Decode times of all packets in milliseconds, by kind. */
async function probe(path: string): Promise<Packets> {
	const { stdout, stderr } = await runToEnd(
		"ffprobe",
		["-v", "warning", "-show_entries", "packet=codec_type,dts_time", "-of", "csv=p=0", path],
		PEER_MS,
	);
	expect(stderr).toBe("");
	const rows = stdout
		.trim()
		.split("\n")
		.map((line) => line.split(","));
	const times = (kind: string) =>
		rows.filter(([type]) => type === kind).map(([, time]) => Math.round(Number(time) * 1_000));
	return { video: times("video"), audio: times("audio") };
}

/** Every packet, and each at its distance from the first to the millisecond or two that a peer's own time base rounds away. */
function expectTimes(got: readonly number[], sent: readonly number[]): void {
	expect(got.length).toBe(sent.length);
	const sentMs = fromZero(sent);
	for (const [index, time] of fromZero(got).entries()) {
		expect(Math.abs(time - (sentMs[index] ?? Number.NaN))).toBeLessThanOrEqual(2);
	}
}

const fromZero = (times: readonly number[]) => times.map((time) => time - (times[0] ?? 0));
/** Neither a sequence header (0) nor an end of sequence (2), of which muxers make and drop their own. */
const isFrame = ({ body }: FlvTag) => body.length > 5 && body[1] === 1;
const timesOf = (type: number) =>
	tags.filter((tag) => tag.type === type && isFrame(tag)).map(({ timestampMs }) => timestampMs);

/** All of the footage, as fast as the server takes it. */
async function publishAll(publisher: RtmpPublisher, startMs: number): Promise<void> {
	await publisher.sendMetadata({
		width: 640,
		height: 360,
		frameRate: 25,
		videoBitrateBps: 300_000,
		audioBitrateBps: 64_000,
	});
	for (const tag of tags) {
		await publisher.sendTag({ ...tag, timestampMs: (tag.timestampMs + startMs) % 0x100000000 });
	}
}

describe("our publisher into nginx-rtmp", () => {
	const connect = async (name: string) =>
		await RtmpPublisher.connect(await eventually(PEER_MS, () => dialTcp(nginx.port)), {
			url: parseRtmpUrl(`rtmp://127.0.0.1:${nginx.port}/live/${name}`),
		});

	it.each(STARTS)("is recorded packet for packet when time begins at %s", async (_, startMs) => {
		const name = `from-${startMs}`;
		const publisher = await connect(`${name}?token=a/b`);
		await publishAll(publisher, startMs);
		await publisher.close({ final: true });
		expect(await publisher.closed).toMatchObject({ kind: "local" });

		const recording = nginx.recordingOf(name);
		const recorded = await eventually(PEER_MS, async () => {
			expect((await stat(recording)).size).toBeGreaterThan(0);
			const packets = await probe(recording);
			expect(packets.audio.length).toBe(timesOf(8).length);
			return packets;
		});
		expectTimes(recorded.video, timesOf(9));
		expectTimes(recorded.audio, timesOf(8));
		await runToEnd("flvmeta", ["-C", "-q", recording], PEER_MS);
	});

	it("is told apart from a wrong key when the name is taken, and gets in once it is free", async () => {
		const first = await connect("taken");
		await expect(connect("taken")).rejects.toBeInstanceOf(RtmpBusyError);
		await first.close({ final: false });
		const second = await eventually(PEER_MS, () => connect("taken"));
		await second.close({ final: true });
	});

	it("notices when the server goes away", async () => {
		const own = await mkdtemp(join(tmpdir(), "rtmp-peers-"));
		const server = await startNginxRtmp(own, PEER_MS);
		const transport = await eventually(PEER_MS, () => dialTcp(server.port));
		const url = parseRtmpUrl(`rtmp://127.0.0.1:${server.port}/live/name`);
		const publisher = await RtmpPublisher.connect(transport, { url, timeouts: { settleMs: 0 } });
		await publishAll(publisher, 0);
		await server.stop();
		expect((await publisher.closed).kind).toBe("broken");
		await rm(own, { recursive: true });
	});
});

describe("our publisher into ffmpeg -listen", () => {
	it.each(STARTS)("arrives packet for packet when time begins at %s", async (_, startMs) => {
		const port = await freePort();
		const url = `rtmp://127.0.0.1:${port}/live/KEY`;
		const received = join(directory, `ffmpeg-${startMs}.crc`);
		const ffmpeg = new PeerProcess(
			"ffmpeg",
			[
				"-v",
				"warning",
				"-y",
				"-listen",
				"1",
				"-i",
				url,
				"-map",
				"0",
				"-c",
				"copy",
				"-copyts",
				"-f",
				"framecrc",
				received,
			],
			PEER_MS,
		);
		const transport = await eventually(PEER_MS, () => dialTcp(port));
		const publisher = await RtmpPublisher.connect(transport, { url: parseRtmpUrl(url) });
		await publishAll(publisher, startMs);
		await publisher.close({ final: true });

		// It exits with 0 even where it could not parse what came.
		const { code, stderr } = await ffmpeg.finished;
		expect(code).toBe(0);
		// Its own publisher's end is an input/output error to it as well.
		expect(stderr.replace(`${url}: Input/output error`, "").trim()).toBe("");
		// A line a packet: stream, decode time, presentation time, duration, size, checksum; comments begin with #.
		const packets = (await readFile(received, "utf8"))
			.split("\n")
			.map((line) => line.split(",").map((cell) => cell.trim()));
		for (const [stream, type] of [
			["0", 9],
			["1", 8],
		] as const) {
			const ofStream = packets.filter(([index]) => index === stream);
			expectTimes(
				ofStream.map(([, time]) => Number(time)),
				timesOf(type),
			);
			const headerBytes = type === 9 ? 5 : 2;
			const sent = tags.filter((tag) => tag.type === type && isFrame(tag)).map(({ body }) => body.length - headerBytes);
			expect(ofStream.map(([, , , , size]) => Number(size))).toEqual(sent);
		}
	});
});

describe("publishers into our acceptor", () => {
	let listener: TcpListener;
	let accepted: PromiseWithResolvers<CollectingAcceptor>;
	let decide: ((sink: PublishSink) => PublishSink) | undefined;

	beforeAll(async () => {
		accepted = Promise.withResolvers();
		listener = await listenTcp((transport) => {
			const refuse = decide;
			const seen = new CollectingAcceptor(
				transport,
				refuse === undefined ? {} : { onPublish: async () => refuse({ onTag: () => {}, onEnd: () => {} }) },
			);
			accepted.resolve(seen);
		});
	});

	afterAll(() => listener.close());

	const nextPublisher = () => {
		accepted = Promise.withResolvers();
		return accepted.promise;
	};
	const url = (key: string) => `rtmp://127.0.0.1:${listener.port}/live/${key}`;

	/** The same bodies in the same order by kind, and the same distances in time. */
	const expectFootage = (seen: CollectingAcceptor) => {
		expect(seen.errors).toEqual([]);
		for (const type of [8, 9]) {
			const sent = tags.filter((tag) => tag.type === type && isFrame(tag));
			const got = seen.tags.filter((tag) => tag.type === type && isFrame(tag));
			expect(got.map(({ body }) => body.length)).toEqual(sent.map(({ body }) => body.length));
			expectTimes(
				got.map(({ timestampMs }) => timestampMs),
				sent.map(({ timestampMs }) => timestampMs),
			);
		}
	};

	it.each([
		["zero", 0],
		["just under 2^24 ms", 0x1000000 - 1_000],
	])("takes ffmpeg's stream whole when time begins at %s", async (_, startMs) => {
		const coming = nextPublisher();
		const offset = ["-output_ts_offset", `${startMs / 1_000}`];
		await runToEnd(
			"ffmpeg",
			["-v", "error", "-i", footage, "-c", "copy", ...offset, "-f", "flv", url("KEY?a=b")],
			PEER_MS,
		);
		const seen = await coming;
		await seen.ended;
		expectFootage(seen);
		expect(seen.requests).toMatchObject([{ app: "live", streamKey: "KEY?a=b" }]);
		expect(seen.endings).toEqual(["the publisher ended the stream"]);
		expect(seen.tags.at(-1)?.timestampMs).toBeGreaterThan(startMs + 2_000);
		expect(seen.tags[0]?.type).toBe(18);
	});

	it("takes GStreamer's stream whole", async () => {
		const coming = nextPublisher();
		const pipeline = [
			`filesrc location=${footage} ! flvdemux name=in`,
			"in.video ! queue ! h264parse ! mux.",
			"in.audio ! queue ! aacparse ! mux.",
			`flvmux name=mux streamable=true ! rtmp2sink sync=false location=${url("KEY")}`,
		];
		await runToEnd("gst-launch-1.0", ["-q", ...pipeline.join(" ").split(" ")], PEER_MS);
		const seen = await coming;
		await seen.ended;
		expectFootage(seen);
		expect(seen.requests).toMatchObject([{ app: "live", streamKey: "KEY" }]);
		expect(seen.endings).toEqual(["the publisher ended the stream"]);
	});

	it("tells ffmpeg why before it closes", async () => {
		decide = () => {
			throw new PublishRejection("NetStream.Publish.BadName", "expected a key of this broadcast, got another");
		};
		try {
			const ffmpeg = new PeerProcess("ffmpeg", ["-i", footage, "-c", "copy", "-f", "flv", url("WRONG")], PEER_MS);
			const { code, stderr } = await ffmpeg.finished;
			expect(code).not.toBe(0);
			expect(stderr).toContain("expected a key of this broadcast, got another");
		} finally {
			decide = undefined;
		}
	});
});

describe("Adobe's authentication as ffmpeg does it", () => {
	it("computes the proof that our own publisher computes", async () => {
		const { adobeProofQuery } = await import("../../rtmp/adobe-auth.ts");
		const credentials = { user: "someone", password: "hunter2" };
		const asked = { kind: "prove", salt: "SaLt", challenge: "CHaLL", opaque: "oPaQ" } as const;
		const apps: string[] = [];
		const proven = Promise.withResolvers<string>();
		const listener = await listenTcp(async (transport) => {
			const peer = new ScriptedPeer(transport);
			try {
				await peer.handshakeAsServer();
				const { args } = await peer.nextCommand("connect");
				const { app } = args[0] as { app: string };
				apps.push(app);
				const reject = (description: string) =>
					peer.call({ csid: 3 }, "_error", 1, null, {
						level: "error",
						code: "NetConnection.Connect.Rejected",
						description,
					});
				if (app.includes("response=")) {
					proven.resolve(app);
				} else if (app.includes("user=")) {
					const { salt, challenge, opaque } = asked;
					await reject(
						`[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=someone&salt=${salt}&challenge=${challenge}&opaque=${opaque}`,
					);
				} else {
					await reject("[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ");
				}
				await peer.ended();
			} catch (error) {
				proven.reject(error);
			} finally {
				peer.close();
			}
		});
		const url = `rtmp://someone:hunter2@127.0.0.1:${listener.port}/live/KEY`;
		const ffmpeg = new PeerProcess("ffmpeg", ["-v", "error", "-i", footage, "-c", "copy", "-f", "flv", url], PEER_MS);
		const app = await Promise.race([
			proven.promise,
			ffmpeg.finished.then(({ stderr }) =>
				Promise.reject(new Error(`ffmpeg gave up after ${apps.join(", ")}: ${stderr}`)),
			),
		]);
		const query = app.slice(app.indexOf("?") + 1);
		const ours = new URLSearchParams(query).get("challenge") ?? "";
		expect(query).toBe(adobeProofQuery(credentials, asked, ours));
		await ffmpeg.stop();
		await listener.close();
	});
});
