import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import puppeteer, { type Page } from "puppeteer-core";
import { chromiumEnvironment, chromiumFlags } from "../../runner/browser/chromium-flags.ts";
import { findChromium } from "../../runner/browser/find-chromium.ts";
import { cpuSecondsOf, processTimes, usageOf } from "../../scripts/process-usage.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { endChild } from "./end-child.ts";
import { type GrabCounters, readProgress } from "./grab-figures.ts";
import { startDisplay } from "./x-display.ts";

const SIZE = { width: 1_280, height: 720 };
export const GRAB_FRAME_RATE = 30;
const BITRATE = "3000k";
const READY_WITHIN_MS = 30_000;
const KEPT_CHARS = 2_000;
const ANY = /./;

const PLAYING =
	"document.querySelectorAll('video').length === 2 && [...document.querySelectorAll('video')].every((each) => each.currentTime > 0.2)";

/** What ffmpeg tells. */
type Reported = Omit<GrabCounters, "pictures" | "notShown">;

/** One page of two videos on an X server of its own, grabbed and encoded. */
export class ScreenGrab implements AsyncDisposable {
	readonly #roots: readonly number[];
	readonly #page: Page;
	readonly #reported: () => Reported;
	readonly #opened: AsyncDisposableStack;

	private constructor(roots: readonly number[], page: Page, reported: () => Reported, opened: AsyncDisposableStack) {
		this.#roots = roots;
		this.#page = page;
		this.#reported = reported;
		this.#opened = opened;
	}

	/** Resolves when both videos play and ffmpeg puts frames out. Throws puppeteer's `TimeoutError` where the machine does not get there. */
	static async start(home: string, url: string): Promise<ScreenGrab> {
		await using opened = new AsyncDisposableStack();
		const display = opened.use(await startDisplay(SIZE));
		await mkdir(home, { recursive: true });
		const browser = await puppeteer.launch({
			executablePath: findChromium(process.env.PUPPETEER_EXECUTABLE_PATH, existsSync),
			headless: false,
			defaultViewport: null,
			env: { ...chromiumEnvironment(process.env, home), DISPLAY: display.name },
			ignoreDefaultArgs: ["--enable-automation"],
			args: [
				...chromiumFlags(process.getuid?.() === 0),
				...["--kiosk", "--window-position=0,0", `--window-size=${SIZE.width},${SIZE.height}`],
				"--disable-dev-shm-usage",
			],
		});
		opened.defer(() => browser.close());
		const page = (await browser.pages())[0] ?? (await browser.newPage());
		await page.setViewport(null);
		await page.goto(url);
		await page.waitForFunction(PLAYING, { timeout: READY_WITHIN_MS });

		const ffmpeg = spawn("ffmpeg", grabArguments(display.name), { stdio: ["ignore", "pipe", "inherit"] });
		opened.defer(() => endChild(ffmpeg));
		let said = "";
		let saidAtMs = 0;
		ffmpeg.stdout.on("data", (data: Buffer) => {
			said = (said + data.toString()).slice(-KEPT_CHARS);
			saidAtMs = performance.now();
		});
		await waitFor("ffmpeg's first report", READY_WITHIN_MS, () => readProgress(said));
		const reported = () => {
			const progress = readProgress(said);
			if (progress === undefined) {
				throw new Error("ffmpeg: expected a report of its progress, got none");
			}
			return { ...progress, atMs: saidAtMs };
		};
		const roots = [display.pid, browser.process()?.pid, ffmpeg.pid].filter((pid) => pid !== undefined);
		return new ScreenGrab(roots, page, reported, opened.move());
	}

	/** Of X server, browser and ffmpeg so far. */
	cpuSeconds(): number {
		return this.#roots.reduce((sum, pid) => sum + cpuSecondsOf(processTimes(pid, ANY)), 0);
	}

	/** Of the same, now. */
	memoryBytes(): number {
		return this.#roots.reduce((sum, pid) => sum + usageOf(pid, ANY).memoryBytes, 0);
	}

	async counters(): Promise<GrabCounters> {
		const shown = await this.#page.evaluate(() =>
			[...document.querySelectorAll("video")].map((video) => {
				const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
				return { totalVideoFrames, droppedVideoFrames };
			}),
		);
		return {
			...this.#reported(),
			pictures: shown.reduce((sum, { totalVideoFrames }) => sum + totalVideoFrames, 0),
			notShown: shown.reduce((sum, { droppedVideoFrames }) => sum + droppedVideoFrames, 0),
		};
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.#opened.disposeAsync();
	}
}

/** Constant bitrate as destinations want it, and what LiveKit and Jibri choose by default: veryfast, zerolatency, a key frame every 2 s. */
function grabArguments(display: string): string[] {
	return [
		...["-hide_banner", "-loglevel", "error", "-nostdin", "-progress", "pipe:1", "-stats_period", "0.2"],
		...["-f", "x11grab", "-draw_mouse", "0", "-framerate", String(GRAB_FRAME_RATE)],
		...["-video_size", `${SIZE.width}x${SIZE.height}`, "-i", display, "-pix_fmt", "yuv420p"],
		...["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-g", String(2 * GRAB_FRAME_RATE)],
		...["-b:v", BITRATE, "-maxrate", BITRATE, "-bufsize", BITRATE],
		...["-r", String(GRAB_FRAME_RATE), "-fps_mode", "cfr", "-f", "flv", "-y", "/dev/null"],
	];
}
