import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../egress/clock.ts";
import { type EgressCarryOver, EgressSession } from "../../egress/egress-session.ts";
import { type FlvTag, TAG_TYPE } from "../../media/flv/tag.ts";
import { tagKind } from "../../media/flv/tag-kind.ts";
import { flvTagBytes } from "../../media/flv/tag-writer.ts";
import type { ByteTransport } from "../../rtmp/transport.ts";
import { freePort } from "../../scripts/local-system/ports.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import type { EgressStatus } from "../../worker/protocol/egress-status.ts";
import { makeMovingClip } from "../support/peers/clips.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { readMediaTags } from "../support/rtmp/flv-file.ts";
import { type NginxRtmp, startNginxRtmp } from "../support/rtmp/nginx-rtmp.ts";
import { eventually, PeerProcess, runToEnd } from "../support/rtmp/peer-process.ts";
import { dialTcp } from "../support/rtmp/tcp-transport.ts";

/** The egress as it is, but for where its sockets come from, into servers that we did not write. */

const PEER_MS = 60_000;
const SUITE_MS = 200_000;
const FRAME_RATE = 25;
const CLIP_SECONDS = 4;
/** Time at the destination where the format or the arithmetic changes: past three bytes, past a signed and past an unsigned 32-bit number. */
const CROSSINGS = [
	["24", 2 ** 24],
	["31", 2 ** 31],
	["32", 2 ** 32],
] as const;
/** The clip's middle is there. */
const BEFORE_CROSSING_MS = (CLIP_SECONDS * 1_000) / 2;

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
let clip: FlvTag[] = [];
let nginx: NginxRtmp;

beforeAll(async () => {
	const file = folder.file("clip.flv");
	await makeMovingClip(file, 440, { width: 320, height: 180, frameRate: FRAME_RATE, seconds: CLIP_SECONDS });
	clip = (await readMediaTags(file)).filter((tag) => tagKind(tag) !== "video-end");
	nginx = await startNginxRtmp(folder.path, SUITE_MS);
	undo.defer(() => nginx.stop());
	await eventually(PEER_MS, async () => (await dialTcp(nginx.port)).close());
});

afterAll(() => undo.disposeAsync());

interface Publishing {
	readonly session: EgressSession;
	readonly states: EgressStatus["state"][];
	send(tags: readonly FlvTag[]): void;
	untilState(state: EgressStatus["state"]): Promise<EgressStatus>;
}

/** What a dial gives, in the hands of the test. */
type Wrap = (transport: ByteTransport) => ByteTransport;

function publish(url: string, options: { carryOver?: EgressCarryOver; wrap?: Wrap } = {}): Publishing {
	const { carryOver, wrap = (transport) => transport } = options;
	const states: EgressStatus["state"][] = [];
	const session = new EgressSession(
		{
			...{ broadcastId: "b", destinationId: "d", stream: "program/main", url },
			...{ width: 320, height: 180, frameRate: FRAME_RATE, videoBitrateBps: 500_000, audioBitrateBps: 128_000 },
		},
		{
			dial: async ({ port }) => wrap(await dialTcp(port)),
			clock: systemClock,
			random: Math.random,
			onChange: ({ state }) => states.push(state),
			...(carryOver !== undefined && { carryOver }),
		},
	);
	session.start();
	return {
		session,
		states,
		send: (tags) => {
			for (const tag of tags) {
				session.push(new Uint8Array(flvTagBytes(tag)).buffer);
			}
		},
		untilState: (state) =>
			waitFor(`the session to be ${state}`, PEER_MS, () => {
				const status = session.status();
				return status.state === state ? status : undefined;
			}),
	};
}

/** Sends the whole clip: its beginning until the destination takes it, then the rest as fast as it does. */
async function publishClip(publishing: Publishing): Promise<void> {
	const { session, states } = publishing;
	const beginning = clip.findIndex((tag) => tagKind(tag) === "video-key") + 1;
	publishing.send(clip.slice(0, beginning));
	await publishing.untilState("live");
	for (const tag of clip.slice(beginning)) {
		publishing.send([tag]);
		await waitFor("the destination to take it", PEER_MS, () => session.status().queueMs < 500 || undefined);
	}
	let bytes = 0;
	await waitFor("the destination to take all", PEER_MS, () => {
		const before = bytes;
		bytes = session.status().bytes;
		return bytes === before || undefined;
	});
	expect(session.status()).toMatchObject({ droppedTags: 0 });
	await session.stop();
	expect(states.slice(-2)).toEqual(["live", "stopped"]);
}

const isFrame = (tag: FlvTag) => ["video-key", "video-inter", "audio"].includes(tagKind(tag));

/** Times of the clip's frames from its first key frame on: what a destination gets, since it begins there. */
function sentTimes(type: FlvTag["type"]): number[] {
	const first = clip.findIndex((tag) => tagKind(tag) === "video-key");
	return clip
		.slice(first)
		.filter((tag) => tag.type === type && isFrame(tag))
		.map((tag) => tag.timestampMs);
}

/** Every packet, none before another, each at its distance from the first to what a peer's time base rounds away. */
function expectTimes(got: readonly number[], sent: readonly number[]): void {
	const fromZero = (times: readonly number[]) => times.map((time) => time - (times[0] ?? Number.NaN));
	expect(got.length).toBe(sent.length);
	const sentMs = fromZero(sent);
	const off = fromZero(got).filter((time, index) => Math.abs(time - (sentMs[index] ?? Number.NaN)) > 2);
	expect(off).toEqual([]);
}

const crossing = (atMs: number): EgressCarryOver => ({
	firstMs: atMs - BEFORE_CROSSING_MS,
	...{ held: true, bytes: 0, reconnects: 0, droppedTags: 0 },
});

describe("time at the destination that crosses a limit in mid-session", () => {
	it.each(CROSSINGS)("is recorded by nginx-rtmp packet for packet over 2^%s ms", async (name, atMs) => {
		const publishing = publish(`rtmp://127.0.0.1:${nginx.port}/live/over-${name}`, { carryOver: crossing(atMs) });
		await publishClip(publishing);
		expect(publishing.session.timeMs).toBeGreaterThan(atMs);
		const recording = nginx.recordingOf(`over-${name}`);
		const times = await eventually(PEER_MS, async () => {
			const found = await probedTimes(recording);
			expect(found.audio.length).toBe(sentTimes(TAG_TYPE.audio).length);
			return found;
		});
		expectTimes(times.video, sentTimes(TAG_TYPE.video));
		expectTimes(times.audio, sentTimes(TAG_TYPE.audio));
	});

	it.each(CROSSINGS)("arrives at ffmpeg -listen packet for packet over 2^%s ms", async (name, atMs) => {
		const port = await freePort();
		const url = `rtmp://127.0.0.1:${port}/live/KEY`;
		const received = folder.file(`over-${name}.crc`);
		const input = ["-v", "warning", "-y", "-listen", "1", "-i", url];
		const output = ["-map", "0", "-c", "copy", "-copyts", "-f", "framecrc", received];
		const ffmpeg = new PeerProcess("ffmpeg", [...input, ...output], PEER_MS);
		const publishing = publish(url, { carryOver: crossing(atMs) });
		await publishClip(publishing);
		const { stderr } = await ffmpeg.finished;
		expect(stderr.replace(`${url}: Input/output error`, "").trim()).toBe("");
		const packets = (await readFile(received, "utf8"))
			.split("\n")
			.map((line) => line.split(",").map((cell) => cell.trim()));
		const timesOf = (stream: string) => packets.filter(([index]) => index === stream).map(([, time]) => Number(time));
		expectTimes(timesOf("0"), sentTimes(TAG_TYPE.video));
		expectTimes(timesOf("1"), sentTimes(TAG_TYPE.audio));
	});
});

/** Decoding times in milliseconds. */
async function probedTimes(file: string): Promise<{ video: number[]; audio: number[] }> {
	const entries = ["-show_entries", "packet=codec_type,dts_time", "-of", "csv=p=0"];
	const { stdout } = await runToEnd("ffprobe", ["-v", "warning", ...entries, file], PEER_MS);
	const rows = stdout.split("\n").map((line) => line.split(","));
	const ofKind = (kind: string) =>
		rows.filter(([type]) => type === kind).map(([, time]) => Math.round(Number(time) * 1_000));
	return { video: ofKind("video"), audio: ofKind("audio") };
}

describe("nginx-rtmp that says no", () => {
	/** The clip again and again at its own pace, until told to stop. */
	function loop(publishing: Publishing): () => void {
		let tags: FlvTag[] = [];
		let round = 0;
		const begunMs = performance.now();
		const timer = setInterval(() => {
			const nowMs = performance.now() - begunMs;
			for (;;) {
				if (tags.length === 0) {
					const offsetMs = round++ * CLIP_SECONDS * 1_000;
					tags = clip.map((tag) => ({ ...tag, timestampMs: tag.timestampMs + offsetMs }));
				}
				const [next] = tags;
				if (next === undefined || next.timestampMs > nowMs) {
					return;
				}
				publishing.send([next]);
				tags.shift();
			}
		}, 20);
		return () => clearInterval(timer);
	}

	it("because it still holds the session that broke is tried again until it is free", async () => {
		const held: ByteTransport[] = [];
		const cuts: (() => void)[] = [];
		// A line that is gone for us and that the server has not seen go.
		const wrap: Wrap = (transport) => {
			held.push(transport);
			const cut = Promise.withResolvers<never>();
			cut.promise.catch(() => {});
			cuts.push(() => cut.reject(new Error("test: cut")));
			const reader = transport.readable.getReader();
			const readable = new ReadableStream<Uint8Array>({
				async pull(controller) {
					const { value, done } = await Promise.race([reader.read(), cut.promise]);
					if (done) {
						controller.close();
					} else {
						controller.enqueue(value);
					}
				},
			});
			return { readable, writable: transport.writable, close: () => {} };
		};
		const publishing = publish(`rtmp://127.0.0.1:${nginx.port}/live/held`, { wrap });
		const stop = loop(publishing);
		await publishing.untilState("live");
		await waitFor("the session to have settled", PEER_MS, () => publishing.session.held || undefined);
		cuts[0]?.();
		const busy = await waitFor("nginx to say that it is taken", PEER_MS, () => {
			const status = publishing.session.status();
			return status.lastError?.includes("Already publishing") === true ? status : undefined;
		});
		expect(busy.state).toBe("retrying");
		held[0]?.close();
		const again = await publishing.untilState("live");
		expect(again).toMatchObject({ reconnects: 1 });
		expect(publishing.states).toEqual(["connecting", "live", "retrying", "live"]);
		stop();
		await publishing.session.stop();
		for (const transport of held) {
			transport.close();
		}
	});

	it("to the key, by closing without a word, is not asked for ever", async () => {
		const publishing = publish(`rtmp://127.0.0.1:${nginx.port}/closed/s3cret`);
		const stop = loop(publishing);
		const refused = await publishing.untilState("refused");
		stop();
		expect(refused.attempts).toBe(3);
		expect(refused.lastError).toContain("got Publish.Start and then nothing");
	});
});
