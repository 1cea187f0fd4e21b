import { writeFile } from "node:fs/promises";
import { afterEach, describe, expect, test } from "vitest";
import { parseAvcConfig } from "../../../media/avc/avc-config.ts";
import { parseSps } from "../../../media/avc/sps.ts";
import type { EncodedFrame } from "../../../media/encoded-frame.ts";
import { FlvFrameReader } from "../../../media/flv/frame-reader.ts";
import { TAG_TYPE } from "../../../media/flv/tag.ts";
import { tagKind } from "../../../media/flv/tag-kind.ts";
import { isFlvHeader, readSingleTag } from "../../../media/flv/tag-reader.ts";
import { captureClockSchema } from "../../../worker/protocol/media-socket.ts";
import { useBrowser } from "../../support/browser/use-browser.ts";
import { mustRun } from "../../support/peers/run-tool.ts";
import { TempFolder } from "../../support/peers/temp-folder.ts";
import { beepOnsetsMs, flashOnsetsMs, median, skewsMs } from "../../support/program/onsets.ts";
import { meanOf } from "../../support/program/picture.ts";
import { decodePictures } from "../../support/program/pictures.ts";
import { decodeSound, SOUND_RATE, soundBetween } from "../../support/program/sound.ts";
import { flvOf, HD, openStreamEdge, type Received, SMALL, type StreamEdge, tagsOf, textsOf } from "./stream-edge.ts";
import type { Published, PublishRequest } from "./stream-in-page.ts";

const MODULE = new URL("./stream-in-page.ts", import.meta.url);
const browser = useBrowser({
	flags: ["--use-fake-device-for-media-stream=fps=30", "--use-fake-ui-for-media-stream"],
});

let open: StreamEdge | undefined;
afterEach(async () => {
	await open?.edge.close();
});

async function edgeOf(...args: Parameters<typeof openStreamEdge>): Promise<StreamEdge> {
	open = await openStreamEdge(...args);
	return open;
}

function publish(request: Omit<PublishRequest, "apiUrl">): Promise<Published> {
	const apiUrl = open?.edge.origin ?? "";
	return browser.run<Published>(MODULE, "publish", [{ ...request, apiUrl }], { where: "page" });
}

function framesOf(received: readonly Received[]): EncodedFrame[] {
	const reader = new FlvFrameReader();
	return tagsOf(received).flatMap(({ tag }) => reader.push(tag));
}

const pictures = (frames: readonly EncodedFrame[]) =>
	frames.filter((frame) => frame.track === "video" && frame.data.byteLength > 0);
const sounds = (frames: readonly EncodedFrame[]) =>
	frames.filter((frame) => frame.track === "audio" && frame.data.byteLength > 0);
const ms = (frame: EncodedFrame) => frame.ptsUs / 1_000;
const steps = (times: readonly number[]) => times.slice(1).map((time, index) => time - (times[index] ?? 0));

describe("StreamPublisher", () => {
	test("publishes a host's camera and microphone as what a program can be", async () => {
		const { edge, received } = await edgeOf(HD);
		const published = await publish({ source: "camera", forMs: 7_000 });
		const [connection] = edge.connections;
		expect(connection?.path).toMatch(
			/^\/api\/broadcasts\/b1\/media\/host\?direction=publish&ack=1&session=[\w-]{36}&sleeps=1$/,
		);
		expect(connection?.protocols).toContain("bearer.a.b.c");
		expect(published.states.map(({ state }) => state)).toEqual(["connecting", "sending", "off"]);
		expect(published.notices).toEqual([]);
		const [messages = []] = received;
		const frames = framesOf(messages);
		const config = parseAvcConfig(
			frames.find(({ track, config }) => track === "video" && config)?.config as Uint8Array,
		);
		expect(parseSps(config.sps[0] as Uint8Array)).toMatchObject({ width: 1280, height: 720, maxReorderFrames: 0 });
		const keys = pictures(frames)
			.filter(({ keyFrame }) => keyFrame)
			.map(ms);
		expect(keys.length).toBeGreaterThanOrEqual(3);
		for (const step of steps(keys)) {
			// On a busy machine the picture that was to be one may be missing.
			expect(Math.abs(step - 2_000)).toBeLessThanOrEqual(100);
		}
		expect(Math.min(...steps(pictures(frames).map(ms)))).toBeGreaterThan(0);
		for (const step of steps(sounds(frames).map(ms))) {
			expect(Math.abs(step - 1_024 / 48)).toBeLessThanOrEqual(1);
		}
		using folder = new TempFolder();
		const file = folder.file("host.flv");
		await writeFile(file, flvOf(messages));
		await mustRun("ffmpeg", ["-v", "error", "-xerror", "-i", file, "-f", "null", "-"]);
		const probed = await mustRun("ffprobe", [
			...["-v", "error", "-of", "json", "-show_entries"],
			...["stream=codec_name,profile,width,height,has_b_frames,sample_rate,channels", file],
		]);
		const { streams } = JSON.parse(probed.toString());
		expect(streams).toHaveLength(2);
		// Whichever began first.
		expect(streams).toContainEqual({ codec_name: "h264", profile: "Main", width: 1280, height: 720, has_b_frames: 0 });
		expect(streams).toContainEqual({ codec_name: "aac", profile: "LC", sample_rate: "48000", channels: 2 });
	});

	test("says first of all when its first tag was captured, and keeps to that", async () => {
		const { received } = await edgeOf(SMALL);
		const { startMs } = await publish({ source: "camera", forMs: 2_000 });
		const [messages = []] = received;
		const [clock, ...more] = textsOf(messages).map((text) => captureClockSchema.parse(text));
		expect(more).toEqual([]);
		expect(messages.findIndex(({ message }) => typeof message === "string")).toBe(1);
		expect(clock?.tagMs).toBe(tagsOf(messages)[0]?.tag.timestampMs);
		// The wall clock of this machine is the page's, too.
		expect(clock?.captureMs).toBeGreaterThan(startMs);
		expect(clock?.captureMs).toBeLessThan(startMs + 2_000);
		const last = tagsOf(messages).at(-1);
		const capturedMs = (clock?.captureMs ?? 0) + (last?.tag.timestampMs ?? 0) - (clock?.tagMs ?? 0);
		const arrivedMs = performance.timeOrigin + (last?.atMs ?? 0);
		expect(arrivedMs - capturedMs).toBeGreaterThan(-5);
		expect(arrivedMs - capturedMs).toBeLessThan(1_000);
	});

	test("has sound and picture of the same moment at the same time", async () => {
		const { received } = await edgeOf(SMALL);
		await publish({ source: "flashes", forMs: 9_000 });
		using folder = new TempFolder();
		const file = folder.file("flashes.flv");
		await writeFile(file, flvOf(received[0] ?? []));
		const [flashes = []] = await flashOnsetsMs(file, [{ x: 0, y: 0, width: 640, height: 360 }]);
		const skews = skewsMs(flashes, await beepOnsetsMs(file, 1_000));
		expect(skews.length).toBeGreaterThanOrEqual(5);
		console.log(`skew of sound and picture, median: ${median(skews).toFixed(1)} ms of ${skews.map(Math.round)}`);
		expect(Math.abs(median(skews))).toBeLessThanOrEqual(30);
	});

	test.each([
		{ what: "a camera that is taken away", step: "camera-off", black: true, silent: false },
		{ what: "a muted microphone", step: "mute", black: false, silent: true },
		{ what: "tracks that end", step: "stop", black: true, silent: true },
		{ what: "no tracks any more", step: "no-tracks", black: true, silent: true },
	] as const)("goes on without a hole over $what", async ({ step, black, silent }) => {
		const { received } = await edgeOf(SMALL);
		await publish({ source: "camera", steps: [{ atMs: 2_000, step }], forMs: 5_000 });
		const [messages = []] = received;
		const frames = framesOf(messages);
		expect(Math.max(...steps(pictures(frames).map(ms)))).toBeLessThan(300);
		for (const each of steps(sounds(frames).map(ms))) {
			expect(Math.abs(each - 1_024 / 48)).toBeLessThanOrEqual(1);
		}
		using folder = new TempFolder();
		const file = folder.file("off.flv");
		await writeFile(file, flvOf(messages));
		const isBlack = await blackSeconds(file);
		expect(isBlack[1]).toBe(false);
		expect(isBlack.at(-1)).toBe(black);
		const sound = await decodeSound(file);
		const endMs = sound.startMs + (sound.samples.length / SOUND_RATE) * 1_000;
		const peak = (fromMs: number, toMs: number) =>
			soundBetween(sound, fromMs, toMs).reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
		expect(peak(sound.startMs, sound.startMs + 1_500)).toBeGreaterThan(0.05);
		expect(peak(endMs - 1_500, endMs) < 0.01).toBe(silent);
	});

	test("sends black and silence where there was never a track", async () => {
		const { received } = await edgeOf(SMALL);
		await publish({ source: "none", forMs: 2_500 });
		const frames = framesOf(received[0] ?? []);
		expect(pictures(frames).length).toBeGreaterThan(12);
		expect(sounds(frames).length).toBeGreaterThan(70);
	});

	test("puts bars beside an upright picture", async () => {
		const { received } = await edgeOf(SMALL);
		await publish({ source: "portrait", forMs: 1_500 });
		using folder = new TempFolder();
		const file = folder.file("portrait.flv");
		await writeFile(file, flvOf(received[0] ?? []));
		for await (const { picture, index } of decodePictures(file)) {
			if (index > 3) {
				expect(meanOf(picture.y, { x: 0, y: 0, width: 200, height: 360 })).toBeLessThan(20);
				expect(meanOf(picture.y, { x: 240, y: 20, width: 160, height: 320 })).toBeGreaterThan(180);
				expect(meanOf(picture.y, { x: 440, y: 0, width: 200, height: 360 })).toBeLessThan(20);
			}
		}
	});

	test("sleeps when it is told to and begins with a key frame at once when it is woken", async () => {
		const wokenMs: number[] = [];
		const { received } = await edgeOf(HD, {
			onConnection: ({ socket }) => {
				for (const [index, atMs] of [2_500, 4_500, 6_500].entries()) {
					setTimeout(() => socket.send(JSON.stringify({ type: "sleep" })), atMs);
					setTimeout(() => {
						wokenMs[index] = performance.now();
						socket.send(JSON.stringify({ type: "wake" }));
					}, atMs + 1_000);
				}
			},
		});
		const published = await publish({ source: "camera", forMs: 9_500 });
		expect(received).toHaveLength(1);
		expect(published.states.map(({ state }) => state)).toEqual([
			...["connecting", "sending", "asleep", "sending", "asleep", "sending", "asleep", "sending", "off"],
		]);
		const [messages = []] = received;
		const delays = wokenMs.map((wokeMs) => {
			const before = messages.filter(({ atMs }) => atMs > wokeMs - 800 && atMs < wokeMs);
			expect(before).toEqual([]);
			const after = messages.filter(({ atMs }) => atMs >= wokeMs);
			expect(typeof after[0]?.message).toBe("string");
			const kinds = tagsOf(after).map(({ atMs, tag }) => ({ kind: tagKind(tag), atMs, timestampMs: tag.timestampMs }));
			const key = kinds.find(({ kind }) => kind.startsWith("video-") && kind !== "video-config");
			expect(key?.kind).toBe("video-key");
			expect(kinds.findIndex(({ kind }) => kind === "video-config")).toBeLessThan(
				kinds.findIndex(({ kind }) => kind === "video-key"),
			);
			expect(kinds.findIndex(({ kind }) => kind === "video-config")).toBeGreaterThanOrEqual(0);
			const heard = kinds.find(({ kind }) => kind === "audio");
			expect(Math.abs((heard?.timestampMs ?? 0) - (key?.timestampMs ?? 0))).toBeLessThan(120);
			return { picture: (key?.atMs ?? 0) - wokeMs, sound: (heard?.atMs ?? 0) - wokeMs };
		});
		console.log(
			"from wake to the first key frame and the first sound:",
			delays.map(({ picture, sound }) => `${Math.round(picture)}, ${Math.round(sound)} ms`),
		);
		for (const { picture, sound } of delays) {
			expect(picture).toBeLessThan(500);
			expect(sound).toBeLessThan(500);
		}
		// Nothing of before is heard after.
		const times = sounds(framesOf(messages)).map(ms);
		expect(Math.min(...steps(times))).toBeGreaterThan(0);
		expect(steps(times).filter((step) => step > 500)).toHaveLength(3);
	});

	test("connects again after a break, in the same session and awake", async () => {
		const { edge, received } = await edgeOf(SMALL, {
			onConnection: (connection, index) => {
				if (index === 0) {
					setTimeout(() => connection.socket.send(JSON.stringify({ type: "sleep" })), 1_000);
					setTimeout(() => connection.cut(), 1_500);
				}
			},
		});
		const published = await publish({ source: "camera", forMs: 4_000 });
		expect(published.states.map(({ state }) => state)).toEqual([
			...["connecting", "sending", "asleep", "broken", "sending", "off"],
		]);
		expect(published.notices).toEqual([
			{ code: "stream-broken", level: "warning", text: expect.stringContaining("broken") },
			{ code: "stream-broken", resolved: true },
		]);
		expect(edge.connections).toHaveLength(2);
		expect(edge.connections[1]?.path).toBe(edge.connections[0]?.path);
		const [first, second] = received.map(
			(messages) => textsOf(messages).map((text) => captureClockSchema.parse(text))[0],
		);
		// One time line over both.
		expect((second?.captureMs ?? 0) - (second?.tagMs ?? 0)).toBe((first?.captureMs ?? 0) - (first?.tagMs ?? 0));
		const kinds = tagsOf(received[1] ?? []).map(({ tag }) => tagKind(tag));
		expect(kinds.filter((kind) => kind === "video-config")).toHaveLength(1);
		expect(kinds.indexOf("video-config")).toBeLessThan(kinds.indexOf("video-key"));
		expect(kinds.indexOf("audio-config")).toBeLessThan(kinds.indexOf("audio"));
	});

	test.each([
		{ what: "the media socket", close: true, words: "too new" },
		{ what: "the API", close: false, words: "no such broadcast" },
	])("takes a refusal by $what for final, and says it", async ({ close, words }) => {
		const { edge } = await edgeOf(SMALL, {
			onConnection: ({ socket }) => socket.close(4403, "too new"),
			answer: () =>
				close ? undefined : { status: 404, body: { type: "about:blank", title: "Not found", detail: words } },
		});
		const published = await publish({ source: "camera", forMs: 2_000 });
		expect(published.states.map(({ state }) => state)).toEqual(["connecting", "broken", "off"]);
		expect(published.notices).toEqual([{ code: "refused", level: "error", text: expect.stringContaining(words) }]);
		expect(edge.connections).toHaveLength(close ? 1 : 0);
	});

	test("gives a guest Opus", async () => {
		const { received, edge } = await edgeOf(SMALL);
		await publish({ source: "flashes", person: "guest", sleeps: false, forMs: 6_000 });
		expect(edge.connections[0]?.path).toMatch(/media\/guest\?direction=publish&ack=1&session=[\w-]+$/);
		const frames = framesOf(received[0] ?? []);
		expect(new Set(frames.map(({ codec }) => codec))).toEqual(new Set(["avc", "opus"]));
		for (const step of steps(sounds(frames).map(ms))) {
			expect(Math.abs(step - 20)).toBeLessThanOrEqual(1);
		}
	});

	test.each([
		{ person: "host", without: [], gets: { video: "avc1.4d001f", audio: "aac" } },
		{ person: "host", without: ["avc1.4d"], gets: { video: "avc1.42e01f", audio: "aac" } },
		{ person: "host", without: ["avc1"], gets: expect.stringMatching(/no H\.264.*Chrome, Edge or Safari/) },
		{ person: "guest", without: ["avc1"], gets: { video: "vp8", audio: "opus" } },
		{ person: "guest", without: ["opus"], gets: { video: "avc1.4d001f", audio: "aac" } },
		{ person: "guest", without: ["avc1", "vp8"], gets: expect.stringContaining("neither H.264 nor VP8") },
	])("chooses for a $person without $without", async ({ person, without, gets }) => {
		expect(await browser.run(MODULE, "codecsWithout", [person, without], { where: "page" })).toEqual(gets);
	});

	test.each([
		{ what: "Firefox, without streams of frames", refusedPictures: 0 },
		{ what: "Firefox, with an element that tells of a picture before it has it", refusedPictures: 3 },
	])("works as in $what", async ({ refusedPictures }) => {
		const { received } = await edgeOf(SMALL);
		const without = ["MediaStreamTrackProcessor"];
		const published = await publish({ source: "flashes", without, refusedPictures, forMs: 8_000 });
		expect(published.notices).toEqual([]);
		using folder = new TempFolder();
		const file = folder.file("flashes.flv");
		await writeFile(file, flvOf(received[0] ?? []));
		const [flashes = []] = await flashOnsetsMs(file, [{ x: 0, y: 0, width: 640, height: 360 }]);
		const skews = skewsMs(flashes, await beepOnsetsMs(file, 1_000));
		console.log(`skew by element and worklet, median: ${median(skews).toFixed(1)} ms of ${skews.map(Math.round)}`);
		expect(skews.length).toBeGreaterThanOrEqual(4);
		expect(Math.abs(median(skews))).toBeLessThanOrEqual(60);
	});

	test("leaves pictures out on a line that is too slow, goes on at a key frame, and keeps the sound", async () => {
		const { received } = await edgeOf(
			{ ...SMALL, videoBitrate: 20_000_000 },
			{
				onConnection: (connection) => {
					// The system's buffers take some megabytes before the line is seen to be full.
					setTimeout(() => connection.pause(), 1_000);
					setTimeout(() => connection.resume(), 7_000);
				},
			},
		);
		const published = await publish({ source: "noise", forMs: 12_000 });
		expect(received).toHaveLength(1);
		const frames = framesOf(received[0] ?? []);
		const sent = pictures(frames);
		const gaps = sent.slice(1).flatMap((frame, index) => {
			const stepMs = ms(frame) - ms(sent[index] as EncodedFrame);
			return stepMs > 260 ? [{ stepMs, keyFrame: frame.keyFrame }] : [];
		});
		console.log(
			`a slow line: ${sent.length} pictures of ${sent.reduce((sum, { data }) => sum + data.byteLength, 0)} bytes, gaps ${gaps.map(({ stepMs }) => Math.round(stepMs))}, sound ${sounds(frames).length}`,
			published.notices,
		);
		expect(gaps.length).toBeGreaterThanOrEqual(1);
		// Later ones are the encoder's guard's: no encoder brings noise down to what is left of the rate.
		expect(gaps[0]?.stepMs).toBe(Math.max(...gaps.map(({ stepMs }) => stepMs)));
		expect(gaps[0]?.keyFrame).toBe(true);
		expect(published.notices.map(({ code }) => code)).toContain("rate-lowered");
		using folder = new TempFolder();
		const file = folder.file("slow.flv");
		await writeFile(file, flvOf(received[0] ?? []));
		await mustRun("ffmpeg", ["-v", "error", "-xerror", "-i", file, "-f", "null", "-"]);
	});

	test("leaves pictures out where little is acknowledged, though the socket takes everything", async () => {
		let sinceLastAck = 0;
		let withheld = 0;
		const { received } = await edgeOf(SMALL, {
			onMessage: (connection) => {
				const { messages } = connection;
				const last = messages.at(-1);
				const isPicture =
					last instanceof Uint8Array && !isFlvHeader(last) && readSingleTag(last).type === TAG_TYPE.video;
				// For as long as pictures come nothing is acknowledged, once.
				sinceLastAck = isPicture ? 0 : sinceLastAck + 1;
				const withholds = messages.length > 40 && withheld >= 0;
				withheld = withholds ? withheld + 1 : withheld;
				if (withheld > 0 && sinceLastAck > 20) {
					withheld = -1;
				}
				if (withheld <= 0) {
					connection.socket.send(JSON.stringify({ type: "ack", messages: messages.length }));
				}
			},
		});
		const published = await publish({ source: "camera", forMs: 6_000 });
		expect([withheld, received.length]).toEqual([-1, 1]);
		const sent = pictures(framesOf(received[0] ?? []));
		const gaps = sent.slice(1).filter((frame, index) => ms(frame) - ms(sent[index] as EncodedFrame) > 260);
		expect(gaps.length).toBeGreaterThanOrEqual(1);
		expect(gaps.every(({ keyFrame }) => keyFrame)).toBe(true);
		expect(published.notices.map(({ code }) => code)).toContain("rate-lowered");
	});

	test("sends no picture late, and none whose reference was left out", async () => {
		const { received, edge } = await edgeOf(SMALL, {
			onMessage: (connection) => {
				if (connection.messages.length === 20) {
					connection.pause();
					setTimeout(() => connection.resume(), 2_500);
				}
			},
		});
		const keyFramesWanted = await browser.run<number>(MODULE, "sendMade", [edge.origin, 5_000]);
		expect(received).toHaveLength(1);
		const sent = pictures(framesOf(received[0] ?? [])).map((frame) => ({
			keyFrame: frame.keyFrame,
			number: numberOf(frame),
		}));
		const gaps = sent.filter(({ number }, index) => index > 0 && number !== (sent[index - 1]?.number ?? 0) + 1);
		expect(gaps.length).toBeGreaterThanOrEqual(1);
		expect(gaps.every(({ keyFrame }) => keyFrame)).toBe(true);
		expect(keyFramesWanted).toBeGreaterThanOrEqual(1);
	});

	test.each([
		{ codec: "vp8", first: "key vp8", made: "vp8" },
		{ codec: "avc1.42e01f", first: "key avc with its configuration", made: "avc" },
	])("encodes as $codec, and goes on without a key frame when the rate changes", async ({ codec, first, made }) => {
		const given = await browser.run<string[]>(MODULE, "encodeAs", [codec]);
		expect(given[0]).toBe(first);
		const more = given.slice(1);
		expect(more.filter((each) => each !== `inter ${made}`)).toEqual([`key ${made}`]);
		// A busy machine leaves some out.
		expect(more.length).toBeGreaterThan(40);
	});

	test("sends less when it is asked to", async () => {
		const { received } = await edgeOf({ ...HD, videoBitrate: 4_000_000 });
		await publish({ source: "camera", steps: [{ atMs: 2_500, step: "cap" }], forMs: 6_000 });
		const sent = pictures(framesOf(received[0] ?? []));
		const endMs = ms(sent.at(-1) as EncodedFrame);
		const late = sent.filter((frame) => ms(frame) > endMs - 2_000);
		expect(late.length).toBeLessThanOrEqual(21);
		const bits = late.reduce((sum, { data }) => sum + data.byteLength * 8, 0);
		console.log(`asked for at most 400 kb/s at 10 fps: ${Math.round(bits / 2_000)} kb/s at ${late.length / 2} fps`);
		expect(bits / 2).toBeLessThan(800_000);
		expect(
			new Set(
				framesOf(received[0] ?? []).flatMap(({ track, config }) =>
					track === "video" && config ? [parseSps(parseAvcConfig(config).sps[0] as Uint8Array).width] : [],
				),
			),
		).toEqual(new Set([1280]));
	});
});

function numberOf({ data }: EncodedFrame): number {
	return new DataView(data.buffer, data.byteOffset).getUint32(0);
}

/** Whether the first picture of each whole second is without any colour; the browser's made-up camera is green. */
async function blackSeconds(file: string): Promise<boolean[]> {
	const black: boolean[] = [];
	let nextMs = 0;
	for await (const { ptsMs, picture } of decodePictures(file)) {
		if (ptsMs >= nextMs) {
			black.push(Math.abs(meanOf(picture.u, { x: 0, y: 0, width: 320, height: 180 }) - 128) < 5);
			nextMs = ptsMs + 1_000;
		}
	}
	return black;
}
