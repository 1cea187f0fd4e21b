import { execFileSync, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FlvTag } from "../../../media/flv/tag.ts";
import { tagKind } from "../../../media/flv/tag-kind.ts";
import { flvHeader, flvTagBytes, readSingleTag } from "../../../media/flv/tag-writer.ts";
import { waitFor } from "../../../scripts/wait-for.ts";
import { CLOSE } from "../../../worker/protocol/close-codes.ts";
import { type CompositorStats, compositorStatsSchema } from "../../../worker/protocol/compositor-stats.ts";
import { controlRequestSchema, type Scene } from "../../../worker/protocol/control-messages.ts";
import type { CompositorPageStatus } from "../../../worker/protocol/pool-messages.ts";
import { MAIN_COMPOSITE_STREAM } from "../../../worker/protocol/roles.ts";
import { sendInRealTime, useBuiltPage } from "./built-page.ts";
import { FakeEdge } from "./fake-edge.ts";
import { ffmpeg, flvTags } from "./made-media.ts";

const ASSIGNMENT = { broadcastId: "b1", fence: 3, token: "a.b.c" };
const PUBLISHED = `/media/${MAIN_COMPOSITE_STREAM}?direction=publish`;
const RATE = 30;
const SCENE: Scene = {
	layout: "landscape",
	width: 640,
	height: 360,
	frameRate: RATE,
	videoBitrateBps: 1_000_000,
	audioBitrateBps: 128_000,
	keyFrameIntervalS: 2,
	people: [
		{ id: "host", name: "Ada", gain: 1, expected: true },
		{ id: "guest", name: "Bo", gain: 1, expected: true },
	],
};
/** Both people's feeds last as long as the slowest machine may take for the program's length. */
const FEED_SECONDS = 20;
const PROGRAM_SECONDS = 7;
const SOLO_AFTER_SECONDS = 4;
const PATIENCE_MS = 60_000;

/** A plain colour and a tone, as an encoder of somebody else's makes them. */
function feed(colour: string, rate: number, hz: number, sampleRate: number): FlvTag[] {
	return flvTags(
		ffmpeg(
			...["-f", "lavfi", "-i", `color=${colour}:size=640x360:rate=${rate}:duration=${FEED_SECONDS}`],
			...["-f", "lavfi", "-i", `sine=frequency=${hz}:sample_rate=${sampleRate}:duration=${FEED_SECONDS}`],
			...["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"],
			...["-g", `${rate}`, "-c:a", "aac", "-b:a", "96k", "-flvflags", "no_duration_filesize", "-f", "flv"],
		),
	);
}

describe("the compositor page, as built", () => {
	const built = useBuiltPage();
	let edge: FakeEdge;
	let page: Page;
	const feeds: Record<string, FlvTag[]> = {};

	beforeAll(() => {
		feeds.host = feed("red", 30, 440, 48_000);
		feeds.guest = feed("blue", 25, 1_000, 44_100);
	});
	afterAll(async () => {
		await edge?.close();
	});

	const connectionTo = (path: string) => edge.connections.find((each) => each.path.includes(path));
	const status = () => page.evaluate("tandemStatus()") as Promise<CompositorPageStatus>;
	const programTags = () => {
		const messages = connectionTo(PUBLISHED)?.messages ?? [];
		return messages.slice(1).flatMap((message) => (typeof message === "string" ? [] : [readSingleTag(message)]));
	};
	const stats = (): CompositorStats[] =>
		(connectionTo("/control")?.messages ?? []).flatMap((message) => {
			const request = controlRequestSchema.parse(JSON.parse(String(message)));
			return request.type === "compositor-stats" ? [compositorStatsSchema.parse(request.stats)] : [];
		});

	test("makes a program of two live feeds: decodable, on the beat, with figures, to an orderly end", async () => {
		edge = await FakeEdge.open({
			onConnection: (connection) => {
				const person = /\/media\/(host|guest)\?/.exec(connection.path)?.[1];
				if (person !== undefined) {
					sendInRealTime(connection, feeds[person] ?? []);
				} else if (connection.path.endsWith("/control")) {
					connection.socket.send(JSON.stringify({ type: "scene", scene: SCENE }));
				}
			},
		});
		page = await built.newPage();
		const warnings: string[] = [];
		page.on("console", (message) => {
			if (message.type() === "warn" || message.type() === "error") {
				warnings.push(message.text());
			}
		});
		expect(await status()).toEqual({ state: "idle", programFrames: 0 });
		await page.evaluate(`tandemStart(${JSON.stringify({ apiUrl: edge.origin, ...ASSIGNMENT })})`);

		const programSeconds = () => (programTags().at(-1)?.timestampMs ?? 0) / 1_000;
		await waitFor("4 s of program", PATIENCE_MS, () => programSeconds() >= SOLO_AFTER_SECONDS || undefined);
		expect(await status()).toMatchObject({ state: "running" });
		const soloFromMs = programTags().at(-1)?.timestampMs ?? 0;
		const solo: Scene = { ...SCENE, layout: "solo" };
		connectionTo("/control")?.socket.send(JSON.stringify({ type: "scene", scene: solo }));
		await waitFor("7 s of program", PATIENCE_MS, () => programSeconds() >= PROGRAM_SECONDS || undefined);
		connectionTo("/control")?.socket.close(CLOSE.ended.code, "the broadcast has ended");
		await waitFor("the page to close", PATIENCE_MS, async () => (await status()).state === "closed" || undefined);
		expect(await status()).toMatchObject({ reason: "control: the broadcast has ended" });
		expect((await connectionTo(PUBLISHED)?.closed)?.code).toBe(1000);
		expect(edge.connections).toHaveLength(4);

		const tags = programTags();
		const pictures = tags.filter((tag) => tagKind(tag) === "video-key" || tagKind(tag) === "video-inter");
		const timesMs = pictures.map(({ timestampMs }) => timestampMs);
		for (const [index, timeMs] of timesMs.entries()) {
			expect(timeMs).toBe(Math.round((Math.round((timeMs * RATE) / 1_000) * 1_000) / RATE));
			expect(index === 0 || timeMs > (timesMs[index - 1] ?? 0)).toBe(true);
		}
		const firstMs = timesMs[0] ?? 0;
		const lastMs = timesMs.at(-1) ?? 0;
		const reports = stats();
		const last = reports.at(-1) as CompositorStats;
		const places = Math.round(((lastMs - firstMs) * RATE) / 1_000) + 1;
		// A loaded machine may leave frames out, but then it says so; what it left out since the last figures is at most a second's.
		expect(places - pictures.length).toBeLessThanOrEqual(last.program.droppedFrames + RATE);
		expect(pictures.length).toBeGreaterThan(places / 2);
		const keysMs = pictures.filter((tag) => tagKind(tag) === "video-key").map(({ timestampMs }) => timestampMs);
		expect(keysMs[0]).toBe(firstMs);
		for (const [index, keyMs] of keysMs.entries()) {
			const sinceMs = keyMs - (keysMs[index - 1] ?? keyMs - 2_000);
			expect(Math.abs(sinceMs - 2_000)).toBeLessThanOrEqual(500);
		}
		expect(lastMs - (keysMs.at(-1) ?? 0)).toBeLessThan(2_500);

		expect(reports.length).toBeGreaterThanOrEqual(5);
		expect(last).toMatchObject({ fence: 3, program: { width: 640, height: 360, frameRate: RATE, layout: "solo" } });
		expect(last.people.map(({ id, connected }) => `${id} ${connected}`)).toEqual(["host true", "guest true"]);
		for (const { picture, videoIn, audioIn } of last.people) {
			expect(["live", "holding"]).toContain(picture);
			expect(Math.min(videoIn, audioIn)).toBeGreaterThan(PROGRAM_SECONDS);
		}
		expect(last.program.frames).toBeGreaterThan(places / 3);
		expect(last.latencyMs.inputToEncodedP50).toBeGreaterThan(0);
		expect(last.people.every(({ decodeErrors }) => decodeErrors === 0)).toBe(true);
		expect(warnings.filter((text) => !text.startsWith("compositor:"))).toEqual([]);
		const { program, latencyMs, avSkewMs } = last;
		console.log(`program: ${JSON.stringify({ ...program, latencyMs, avSkewMs, missing: places - pictures.length })}`);

		const file = join(built.folder, "program.flv");
		await writeFile(file, Buffer.concat([flvHeader(), ...tags.map(flvTagBytes)]));
		const decoding = spawnSync("ffmpeg", ["-v", "warning", "-i", file, "-f", "null", "-"], { encoding: "utf8" });
		expect([decoding.status, decoding.stderr]).toEqual([0, ""]);
		const counted = execFileSync(
			"ffprobe",
			["-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames", "-of", "json", file],
			{ encoding: "utf8" },
		);
		const streams: { codec_name: string; nb_read_frames: string }[] = JSON.parse(counted).streams;
		const framesOf = (codec: string) =>
			Number(streams.find(({ codec_name }) => codec_name === codec)?.nb_read_frames ?? 0);
		expect(framesOf("h264")).toBe(pictures.length);
		expect(framesOf("aac")).toBeGreaterThan(((lastMs - firstMs) * 48_000) / 1_024 / 1_000 - 15);

		const landscape = picture(file, (soloFromMs - 500 - firstMs) / 1_000);
		expect([colourAt(landscape, 160), colourAt(landscape, 480)]).toEqual(["red", "blue"]);
		const alone = picture(file, (lastMs - 200 - firstMs) / 1_000);
		expect([colourAt(alone, 160), colourAt(alone, 480)]).toEqual(["red", "red"]);
	});
});

/** RGB bytes of the program's picture `seconds` after its first. */
function picture(file: string, seconds: number): Uint8Array {
	return ffmpeg(...["-i", file, "-ss", `${seconds}`, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24"]);
}

/** Of the pixel in the middle of the picture's height. */
function colourAt(rgb: Uint8Array, x: number): string {
	const at = 3 * ((SCENE.height / 2) * SCENE.width + x);
	const [red = 0, green = 0, blue = 0] = rgb.subarray(at, at + 3);
	if (green > 60) {
		return `rgb(${red}, ${green}, ${blue})`;
	}
	return red > 180 && blue < 60 ? "red" : blue > 180 && red < 60 ? "blue" : `rgb(${red}, ${green}, ${blue})`;
}
