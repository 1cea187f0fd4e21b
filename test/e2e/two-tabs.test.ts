import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BroadcastStats } from "../../scripts/api.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { answerOf, apiClient } from "../../web/lib/api-client.ts";
import { CHROMIUM_FLAGS, CHROMIUM_PATH } from "../support/browser/chromium.ts";
import { receiveWithFfmpeg } from "../support/peers/ffmpeg-receiver.ts";
import { mustRun } from "../support/peers/run-tool.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { type ProgramPackets, readPackets } from "../support/program/packets.ts";
import { startSystem } from "../support/system/broadcast.ts";

/** Two people, each with a browser and nothing else, make a show by clicking, at a destination that we did not write. */

const PATIENCE_MS = 60_000;
/** So much of it is to be seen with both of them. */
const TOGETHER_S = 4;
/** Colours of the cameras, which no mixing takes for each other. */
const COLOURS = { host: "0xd08020", guest: "0x2040c0" } as const;

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
let received: string;
let stats: BroadcastStats;
let packets: ProgramPackets;
const complaints: string[] = [];

beforeAll(async () => {
	const tandem = undo.use(await startSystem(folder.file("system")));
	const receiver = undo.use(await receiveWithFfmpeg(folder.file("received.flv")));
	const { apiUrl, adminToken } = tandem.system;
	const created = await answerOf(
		apiClient(apiUrl, { token: adminToken }).broadcasts.$post({
			json: { title: "Two tabs", hostName: "Ada", guestAdmission: "manual" },
		}),
	);

	const studio = await personAt("host", created.links.studio);
	await click(studio, "Enter the studio");
	await click(studio, "Add destination");
	await studio.select("dialog select", "custom");
	await fill(studio, "Address", receiver.url);
	await fill(studio, "Stream key, if it has one", receiver.streamKey);
	await studio.locator("dialog .primary").click();
	await see(studio, "Begins when you go live");
	await fill(studio, "Guest's name, if you like", "Grace");
	await click(studio, "Invite");
	await see(studio, "Send this link to Grace");
	const link = await studio.$eval('input[aria-label="Invite link"]', (input) => (input as HTMLInputElement).value);

	await click(studio, "Go live");
	await studio.locator("dialog .primary").click();
	await see(studio, "You alone, passed through");

	const join = await personAt("guest", link);
	await fill(join, "Your name, as viewers read it", "Grace Hopper");
	await click(join, "Enter");
	await see(join, "Waiting to be let in");
	await click(studio, "Admit Grace Hopper");
	await see(join, "You are on air");
	await Promise.all([seesAndHears(studio, "guest"), seesAndHears(join, "host")]);
	await see(studio, "Everyone together, mixed");
	const startedMs = performance.now();
	await waitFor(
		"some seconds of both",
		PATIENCE_MS,
		async () => performance.now() - startedMs > TOGETHER_S * 1_000 || undefined,
	);
	stats = await tandem.api.stats(created.id);

	await click(join, "Leave");
	await see(join, "You have left");
	await see(studio, "You alone, passed through");
	await click(studio, "End show");
	await studio.locator("dialog .danger").click();
	await see(studio, "The show is over");
	await receiver.program.ended;
	received = receiver.file;
	packets = await readPackets(received);
});

afterAll(() => undo.disposeAsync());

/** A browser of their own, whose camera shows one colour and whose microphone beeps. */
async function personAt(person: keyof typeof COLOURS, link: string): Promise<Page> {
	const camera = folder.file(`${person}.mjpeg`);
	await mustRun("ffmpeg", [
		...["-v", "error", "-f", "lavfi", "-i", `color=c=${COLOURS[person]}:s=1280x720:r=30:d=1`],
		...["-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", camera],
	]);
	const browser: Browser = await puppeteer.launch({
		executablePath: CHROMIUM_PATH,
		headless: true,
		args: [
			...CHROMIUM_FLAGS,
			"--use-fake-device-for-media-stream",
			"--use-fake-ui-for-media-stream",
			`--use-file-for-fake-video-capture=${camera}`,
		],
	});
	undo.defer(() => browser.close());
	const page = await browser.newPage();
	await page.setViewport({ width: 1280, height: 800 });
	page.on("pageerror", (error) => complaints.push(`${person}: ${String(error)}`));
	page.on("console", (message) => {
		if (message.type() === "error") {
			complaints.push(`${person}: ${message.text()}`);
		}
	});
	await page.goto(link);
	return page;
}

async function click(page: Page, name: string): Promise<void> {
	await page.locator(`::-p-aria([name="${name}"])`).setTimeout(PATIENCE_MS).click();
}

async function fill(page: Page, name: string, text: string): Promise<void> {
	await page.locator(`::-p-aria([name="${name}"])`).setTimeout(PATIENCE_MS).fill(text);
}

async function see(page: Page, text: string): Promise<void> {
	await page
		.waitForFunction((words) => document.body.textContent.includes(words), { timeout: PATIENCE_MS }, text)
		.catch(async (error: unknown) => {
			const shown = await page.evaluate(() => document.body.textContent);
			throw new Error(`expected to see "${text}", got: ${shown}`, { cause: error });
		});
}

/** Until the other one's picture moves, with its sound on, and has their colour. */
async function seesAndHears(page: Page, person: keyof typeof COLOURS): Promise<void> {
	await waitFor(`${person} on the other's page`, PATIENCE_MS, async () => {
		const [red = 0, , blue = 0] = await page.evaluate((id) => {
			const video = document.querySelector<HTMLVideoElement>(`.tile[data-person="${id}"] video`);
			if (video === null || video.currentTime === 0 || video.muted || video.paused) {
				return [];
			}
			const context = new OffscreenCanvas(1, 1).getContext("2d");
			context?.drawImage(video, 0, 0, 1, 1);
			return [...(context?.getImageData(0, 0, 1, 1).data ?? [])];
		}, person);
		return whose(red, blue) === person || undefined;
	});
}

type Half = keyof typeof COLOURS | "other";

function whose(red: number, blue: number): Half {
	return red > blue + 80 ? "host" : blue > red + 80 ? "guest" : "other";
}

/** What the left and the right half of each received picture show. */
async function halves(file: string): Promise<readonly (readonly [left: Half, right: Half])[]> {
	const raw = await mustRun("ffmpeg", [
		...["-v", "error", "-i", file, "-vf", "format=rgb24,scale=2:1:flags=area", "-fps_mode", "passthrough"],
		...["-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
	]);
	const halfAt = (at: number) => whose(raw[at] ?? 0, raw[at + 2] ?? 0);
	return Array.from({ length: raw.length / 6 }, (_, index) => [halfAt(index * 6), halfAt(index * 6 + 3)] as const);
}

describe("two people with two browsers", () => {
	it("are on air: the host alone, both side by side, the host again, in one RTMP session", async () => {
		const shown: string[] = [];
		for (const [left, right] of await halves(received)) {
			const words = `${left}|${right}`;
			if (shown.at(-1) !== words) {
				shown.push(words);
			}
		}
		const steady = shown.filter((words) => !words.includes("other"));
		expect(steady[0]).toBe("host|host");
		expect(steady).toContain("host|guest");
		expect(steady.at(-1)).toBe("host|host");
		expect(stats.destinations).toMatchObject([{ state: "live", egress: { reconnects: 0 } }]);
	});

	it("are seen together for as long as they were", async () => {
		const both = (await halves(received)).filter(([left, right]) => left === "host" && right === "guest");
		expect(both.length).toBeGreaterThan((TOGETHER_S - 2) * 30);
	});

	it("reach the destination with a time that only rises, in picture and sound", () => {
		for (const track of [packets.video, packets.audio]) {
			expect(track.length).toBeGreaterThan(0);
			track.reduce((before, { dtsMs }) => {
				expect(dtsMs).toBeGreaterThan(before);
				return dtsMs;
			}, -1);
		}
	});

	it("are heard", async () => {
		const raw = await mustRun("ffmpeg", [
			...["-v", "error", "-i", received, "-map", "0:a", "-ac", "1", "-ar", "8000", "-f", "f32le", "-"],
		]);
		const samples = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength));
		const loudest = samples.reduce((before, sample) => Math.max(before, Math.abs(sample)), 0);
		expect(loudest).toBeGreaterThan(0.05);
	});

	it("see pages without a fault", () => {
		expect(complaints).toEqual([]);
	});
});
