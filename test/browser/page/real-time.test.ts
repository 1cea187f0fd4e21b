import { afterEach, describe, expect, test } from "vitest";
import { waitFor } from "../../../scripts/wait-for.ts";
import { toneLevel } from "../../support/program/tone.ts";
import { useBuiltPage } from "./built-page.ts";
import { RealTimeStage, type ShownPicture, SOUND_RATE } from "./real-time-stage.ts";

const PATIENCE_MS = 60_000;
const TONE_HZ = 440;
const SENDER = { width: 640, height: 360, toneHz: TONE_HZ };
/** From capture to the program's encoded picture at the edge, with eight people on two cores. */
const BOUND_MS = 1_500;

const built = useBuiltPage();
let stage: RealTimeStage;

afterEach(async () => {
	await stage?.close();
});

function programOf(pictures: number): Promise<true> {
	const from = stage.programPictures;
	return waitFor(`${pictures} more pictures`, PATIENCE_MS, () => stage.programPictures - from >= pictures || undefined);
}

const byRealTime = () =>
	waitFor("the real-time leg", PATIENCE_MS, () => stage.person?.leg === "real-time" || undefined);

/** Never an earlier picture after a later one. */
function expectForwards(pictures: readonly ShownPicture[]): void {
	let last = -1;
	for (const { number, timeMs } of pictures) {
		if (number !== undefined) {
			expect(number, `at ${timeMs} ms`).toBeGreaterThanOrEqual(last);
			last = number;
		}
	}
}

async function latenciesMs(pictures: readonly ShownPicture[]): Promise<number[]> {
	const captured = await stage.captured();
	return pictures
		.filter(({ number }, index) => number !== undefined && number !== pictures[index - 1]?.number)
		.map(({ number = 0, atMs }) => atMs - (captured[number] ?? Number.NaN))
		.toSorted((a, b) => a - b);
}

describe("somebody who comes by WebRTC", () => {
	test.each(["video/VP8", "video/H264", "video/VP9", "video/AV1"])(
		"is seen and heard, in %s, soon, and is asked for few key frames",
		async (codec) => {
			stage = await RealTimeStage.open(built, SENDER);
			await stage.call({ connection: "one", codec });
			await byRealTime();
			const before = await stage.figures("one");
			await programOf(300);
			const after = await stage.figures("one");
			const pictures = (await stage.pictures()).slice(-250);
			expect(after.codec).toBe(codec);
			expect(pictures.filter(({ number }) => number === undefined)).toEqual([]);
			expectForwards(pictures);
			const latencies = await latenciesMs(pictures);
			const [p50, p95] = [latencies[latencies.length >> 1] ?? 0, latencies[Math.floor(latencies.length * 0.95)] ?? 0];
			console.log(
				`${codec}: capture to program p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms; ` +
					`${after.keyFrames - before.keyFrames} key frames in ${after.frames - before.frames} frames, PLI ${after.pli}; ` +
					JSON.stringify(stage.person),
			);
			expect(p50).toBeLessThan(BOUND_MS);
			expect(new Set(pictures.map(({ number }) => number)).size).toBeGreaterThan(125);
			expect(after.pli).toBeLessThanOrEqual(8);
			const sound = (await stage.sound()).subarray(-4 * SOUND_RATE);
			expect(toneLevel(sound, TONE_HZ)).toBeGreaterThan(0.15);
			expect(stage.requests).toContainEqual({ type: "real-time-media", people: ["host"] });
			expect(stage.words).toContainEqual({ type: "legs", realTime: ["host"] });
			expect(stage.person?.realTime).toMatchObject({ state: "connected", relayed: false });
		},
	);
});

describe("a line that loses packets", () => {
	test.each([
		{ dependencies: true, red: true },
		{ dependencies: false, red: false },
	])("is seen whole and in order, and heard: descriptor $dependencies, redundant sound $red", async (sends) => {
		stage = await RealTimeStage.open(built, SENDER);
		// Before there is a connection, which keeps the network it began with; without any latency nothing is lost either.
		const devTools = await stage.sender.createCDPSession();
		await devTools.send("Network.enable");
		await devTools.send("Network.emulateNetworkConditions", {
			...{ offline: false, latency: 20, downloadThroughput: -1, uploadThroughput: -1 },
			...{ packetLoss: 3, packetQueueLength: 100, packetReordering: true },
		});
		await stage.call({ connection: "one", ...sends });
		await byRealTime();
		await programOf(45);
		const before = await stage.figures("one");
		await programOf(300);
		const after = await stage.figures("one");
		const pictures = (await stage.pictures()).slice(-290);
		expectForwards(pictures);
		const latencies = await latenciesMs(pictures);
		const losses = stage.stats.map(({ people }) => people[0]?.realTime?.lossRatio ?? 0);
		expect(Math.max(...losses)).toBeGreaterThan(0);
		console.log(
			`3 % loss, ${JSON.stringify(sends)}: p50 ${(latencies[latencies.length >> 1] ?? 0).toFixed(0)} ms, ` +
				`p95 ${(latencies[Math.floor(latencies.length * 0.95)] ?? 0).toFixed(0)} ms, still ${longestStill(pictures)}, ` +
				`${after.keyFrames - before.keyFrames} key frames, PLI ${after.pli - before.pli}; ${JSON.stringify(stage.person)}`,
		);
		// A picture that was decoded without what it refers to has a code that cannot be read.
		expect(pictures.filter(({ number }) => number === undefined).length).toBeLessThan(10);
		expect(new Set(pictures.map(({ number }) => number)).size).toBeGreaterThan(125);
		expect(after.pli - before.pli).toBeLessThan(20);
		expect(toneLevel((await stage.sound()).subarray(-4 * SOUND_RATE), TONE_HZ)).toBeGreaterThan(0.15);
	});
});

describe("a host with two legs", () => {
	test("is seen without a picture twice or back, and heard without a break, from the stream to WebRTC and back", async () => {
		stage = await RealTimeStage.open(built, SENDER);
		await stage.send("openStream", stage.senderStream);
		await waitFor("the stream leg", PATIENCE_MS, () => stage.person?.leg === "stream" || undefined);
		await programOf(90);
		await stage.call({ connection: "one" });
		await byRealTime();
		await waitFor(
			"word of it",
			PATIENCE_MS,
			() => stage.words.some(({ realTime }) => realTime?.[0] === "host") || undefined,
		);
		await programOf(60);
		const switchedAt = stage.programPictures;
		await stage.send("rest", true);
		stage.note({ type: "asleep" });
		await programOf(90);
		expect(stage.person).toMatchObject({ leg: "real-time", picture: "live" });
		const wokenAt = stage.programPictures;
		await stage.send("hangUp", "one");
		await waitFor("word that it is gone", PATIENCE_MS, () => {
			const last = stage.words.findLast(({ type }) => type === "legs");
			return last?.realTime?.length === 0 || undefined;
		});
		await stage.send("rest", false);
		await waitFor("the stream leg", PATIENCE_MS, () => stage.person?.leg === "stream" || undefined);
		await programOf(60);

		const pictures = await stage.pictures();
		expectForwards(pictures);
		const first = pictures.findIndex(({ number }) => number !== undefined);
		expect(pictures.slice(first).filter(({ number }) => number === undefined)).toEqual([]);
		// From leg to leg while both flow: no longer still than a busy machine makes it anywhere else.
		const still = longestStill(pictures.slice(first, switchedAt));
		console.log(
			`longest still picture: ${still} frames over the first switch, ${longestStill(pictures.slice(wokenAt))} after`,
		);
		expect(still).toBeLessThanOrEqual(6);
		expect(longestStill(pictures.slice(wokenAt))).toBeLessThan(60);
		const sound = await stage.sound();
		const before = sound.subarray(0, (switchedAt / 30) * SOUND_RATE).subarray(-4 * SOUND_RATE);
		expect(toneLevel(before, TONE_HZ)).toBeGreaterThan(0.2);
		expect(stage.words.filter(({ type }) => type === "shows").length).toBeGreaterThan(3);
	});
});

describe("whatever a sender does", () => {
	test("goes on over another size, silence without packets, and ICE that restarts", async () => {
		stage = await RealTimeStage.open(built, SENDER);
		await stage.call({ connection: "one", dtx: true });
		await byRealTime();
		await programOf(45);
		await stage.send("resize", 384, 216);
		await waitFor("the new size", PATIENCE_MS, () => stage.person?.width === 384 || undefined);
		await stage.send("setTone", 0);
		await programOf(90);
		expect(stage.person).toMatchObject({ leg: "real-time", picture: "live", height: 216, decodeErrors: 0 });
		await stage.send("setTone", 0.3);
		const answersBefore = answers("one").length;
		await stage.send("restart", "one");
		await waitFor("another answer", PATIENCE_MS, () => answers("one").length > answersBefore || undefined);
		await programOf(90);
		const pictures = await stage.pictures();
		expectForwards(pictures);
		expect(new Set(pictures.slice(-80).map(({ number }) => number)).size).toBeGreaterThan(40);
		expect(toneLevel((await stage.sound()).subarray(-SOUND_RATE), TONE_HZ)).toBeGreaterThan(0.15);
		expect(stage.person).toMatchObject({ decodeErrors: 0, realTime: { state: "connected" } });
		expect((await stage.figures("one")).pli).toBeLessThanOrEqual(8);
	});

	test("hears a newer connection of the same person from when it flows, and lets go of the older", async () => {
		stage = await RealTimeStage.open(built, SENDER);
		await stage.call({ connection: "one" });
		await byRealTime();
		await programOf(60);
		await stage.call({ connection: "two", codec: "video/H264" });
		await waitFor("the older to be let go", PATIENCE_MS, async () => {
			const { state } = await stage.figures("one");
			return state !== "connected" || undefined;
		});
		await programOf(60);
		expect((await stage.figures("two")).state).toBe("connected");
		const pictures = await stage.pictures();
		expectForwards(pictures);
		const first = pictures.findIndex(({ number }) => number !== undefined);
		expect(longestStill(pictures.slice(first))).toBeLessThanOrEqual(15);
		expect(stage.person).toMatchObject({ leg: "real-time", picture: "live", decodeErrors: 0 });
		stage.sayCall([]);
		await waitFor("everybody gone", PATIENCE_MS, async () => {
			const { state } = await stage.figures("two");
			return state !== "connected" || undefined;
		});
		await waitFor("word of it", PATIENCE_MS, () => {
			const said = stage.requests.findLast((request) => request.type === "real-time-media");
			return (said?.type === "real-time-media" && said.people.length === 0) || undefined;
		});
	});

	test("answers a complete offer once, with all candidates in it, and takes media that says nothing of its times", async () => {
		stage = await RealTimeStage.open(built, SENDER);
		const options = { red: false, captureTime: false, dependencies: false };
		await stage.call({ connection: "whip", complete: true, codec: "video/H264", ...options });
		await waitFor("their picture", PATIENCE_MS, () => stage.person?.leg === "whip" || undefined);
		const [answer] = answers("whip");
		expect(answer?.sdp).toContain("a=candidate:");
		expect(answer?.sdp).toContain("a=recvonly");
		expect(stage.signals.filter(({ signal }) => signal.kind === "candidate")).toEqual([]);
		await programOf(90);
		const pictures = (await stage.pictures()).slice(-60);
		expectForwards(pictures);
		expect(new Set(pictures.map(({ number }) => number)).size).toBeGreaterThan(30);
		expect(toneLevel((await stage.sound()).subarray(-SOUND_RATE), TONE_HZ)).toBeGreaterThan(0.15);
	});

	test("takes sound or picture alone, and turns down what it cannot decode without the rest", async () => {
		stage = await RealTimeStage.open(built, SENDER);
		await stage.call({ connection: "picture", tracks: ["video"] });
		await waitFor("their picture", PATIENCE_MS, () => stage.person?.picture === "live" || undefined);
		await stage.call({
			connection: "unknown",
			replace: [
				["opus/48000", "opaque/48000"],
				["red/48000", "redder/48000"],
			],
		});
		await waitFor("an answer", PATIENCE_MS, () => answers("unknown").length > 0 || undefined);
		expect(answers("unknown")[0]?.sdp).toMatch(/^m=audio 0 /m);
		expect(answers("unknown")[0]?.sdp).toMatch(/^m=video [1-9]/m);
		await stage.call({ connection: "sound", tracks: ["audio"] });
		const heardBefore = stage.person?.audioIn ?? 0;
		await waitFor("their sound", PATIENCE_MS, () => (stage.person?.audioIn ?? 0) > heardBefore + 50 || undefined);
		await stage.call({ connection: "nonsense", replace: [["a=fingerprint", "a=footprint"]] });
		await waitFor("a word of it", PATIENCE_MS, () => {
			return (
				stage.signals.some(({ connection, signal }) => connection === "nonsense" && signal.kind === "bye") || undefined
			);
		});
	});

	test("says so at once where the compositor's browser has no WebRTC", async () => {
		stage = await RealTimeStage.open(built, SENDER);
		await stage.compositor.evaluate("delete globalThis.RTCRtpScriptTransform");
		await stage.call({ connection: "one" });
		const bye = await waitFor("a word of it", PATIENCE_MS, () =>
			stage.signals.find(({ signal }) => signal.kind === "bye"),
		);
		expect(bye.signal).toMatchObject({ reason: expect.stringContaining("RTCRtpScriptTransform") });
	});
});

function answers(connection: string): { readonly sdp: string }[] {
	return stage.signals.flatMap(({ connection: of, signal }) =>
		of === connection && signal.kind === "description" && signal.type === "answer" ? [signal] : [],
	);
}

/** How many pictures of the program in a row show the same one, at most. */
function longestStill(pictures: readonly ShownPicture[]): number {
	let longest = 0;
	let run = 0;
	for (const [index, { number }] of pictures.entries()) {
		run = number === pictures[index - 1]?.number ? run + 1 : 1;
		longest = Math.max(longest, run);
	}
	return longest;
}
