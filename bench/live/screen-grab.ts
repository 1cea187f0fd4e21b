import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer from "puppeteer-core";
import { chromiumEnvironment, chromiumFlags } from "../../runner/browser/chromium-flags.ts";
import { findChromium } from "../../runner/browser/find-chromium.ts";
import type { DemoPerson } from "../../scripts/demo/people.ts";
import { usageOf } from "../../scripts/process-usage.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { serveFiles } from "../../test/support/browser/file-server.ts";
import { type LiveFigures, readProgress } from "./live-figures.ts";

/**
 * The way LiveKit Egress and Jibri work, built of public tools: a Chromium page with two `<video>` elements on an X server without a screen, grabbed by ffmpeg
 * and encoded by libx264. The videos come from files, which is less work than WebRTC would be, and there is no sound: both in its favour.
 */

const SIZE = { width: 1_280, height: 720 };
const FRAME_RATE = 30;
const BITRATE = "3000k";
const READY_WITHIN_MS = 30_000;
const SETTLE_MS = 8_000;
const END_WITHIN_MS = 5_000;

const PAGE = `<!doctype html><meta charset="utf-8"><title>grab</title>
<style>html,body{margin:0;background:#000;overflow:hidden}body{display:flex;width:100vw;height:100vh}video{width:50%;height:100%;object-fit:cover}</style>
<video src="host.mp4" muted autoplay loop></video><video src="guest.mp4" muted autoplay loop></video>`;

/** Puts as many such pages on air, each on a display of its own, and looks at them for a while. */
export async function measureScreenGrab(
	folder: string,
	clips: Record<DemoPerson, string>,
	broadcasts: number,
	seconds: number,
): Promise<LiveFigures> {
	const site = join(folder, "grab");
	await mkdir(site, { recursive: true });
	await writeFile(join(site, "page.html"), PAGE);
	for (const person of ["host", "guest"] as const) {
		await cp(clips[person], join(site, `${person}.mp4`));
	}
	const server = await serveFiles(site);
	const grabs: Grab[] = [];
	try {
		for (let index = 0; index < broadcasts; index++) {
			grabs.push(await Grab.start(join(folder, `profile-${index}`), `${server.origin}/page.html`));
		}
		await sleep(SETTLE_MS);
		const cpuSeconds = () => grabs.reduce((sum, grab) => sum + grab.usage().cpuSeconds, 0);
		const [before, startedMs] = [cpuSeconds(), performance.now()];
		const counted = grabs.map((grab) => grab.counters());
		await sleep(seconds * 1_000);
		const [after, tookS] = [cpuSeconds(), (performance.now() - startedMs) / 1_000];
		const memoryBytes = grabs.reduce((sum, grab) => sum + grab.usage().memoryBytes, 0);
		const since = (name: "frames" | "twice" | "left") =>
			grabs.reduce((sum, grab, index) => sum + grab.counters()[name] - (counted[index]?.[name] ?? 0), 0);
		const wanted = tookS * FRAME_RATE * broadcasts;
		return {
			broadcasts,
			coresEach: (after - before) / tookS / broadcasts,
			memoryEachBytes: memoryBytes / broadcasts,
			repeatedShare: since("twice") / since("frames"),
			droppedShare: Math.max(since("left") / since("frames"), 1 - since("frames") / wanted),
		};
	} finally {
		await Promise.all(grabs.map((grab) => grab.stop()));
		await server.close();
	}
}

/** One X server, one browser and one ffmpeg. */
class Grab {
	readonly #roots: readonly ChildProcess[];
	readonly #close: () => Promise<void>;
	readonly #report: () => string;

	private constructor(roots: readonly ChildProcess[], report: () => string, close: () => Promise<void>) {
		this.#roots = roots;
		this.#report = report;
		this.#close = close;
	}

	static async start(profile: string, url: string): Promise<Grab> {
		const { server, display } = await startDisplay();
		await mkdir(profile, { recursive: true });
		const browser = await puppeteer.launch({
			executablePath: findChromium(process.env.PUPPETEER_EXECUTABLE_PATH, existsSync),
			headless: false,
			env: { ...chromiumEnvironment(process.env, profile), DISPLAY: display },
			ignoreDefaultArgs: ["--enable-automation"],
			args: [
				...chromiumFlags(process.getuid?.() === 0),
				...[
					"--kiosk",
					"--window-position=0,0",
					`--window-size=${SIZE.width},${SIZE.height}`,
					"--disable-dev-shm-usage",
				],
			],
		});
		const [page] = await browser.pages();
		const shown = page ?? (await browser.newPage());
		await shown.setViewport(null);
		await shown.goto(url);
		await shown.waitForFunction(
			"[...document.querySelectorAll('video')].length === 2 && [...document.querySelectorAll('video')].every((each) => each.currentTime > 0.2)",
			{ timeout: READY_WITHIN_MS },
		);
		const ffmpeg = spawn(
			"ffmpeg",
			[
				...["-hide_banner", "-loglevel", "error", "-nostdin", "-progress", "pipe:1"],
				...["-f", "x11grab", "-draw_mouse", "0", "-framerate", String(FRAME_RATE)],
				...["-video_size", `${SIZE.width}x${SIZE.height}`, "-i", display, "-pix_fmt", "yuv420p"],
				...["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-b:v", BITRATE, "-maxrate", BITRATE],
				...[
					"-bufsize",
					BITRATE,
					"-g",
					String(2 * FRAME_RATE),
					"-r",
					String(FRAME_RATE),
					"-vsync",
					"cfr",
					"-f",
					"flv",
					"-y",
					"/dev/null",
				],
			],
			{ stdio: ["ignore", "pipe", "inherit"] },
		);
		let report = "";
		ffmpeg.stdout.on("data", (data: Buffer) => {
			report = (report + data.toString()).slice(-2_000);
		});
		const browserProcess = browser.process();
		const roots = [server, ffmpeg, ...(browserProcess === null ? [] : [browserProcess])];
		const close = async () => {
			await end(ffmpeg);
			await browser.close();
			await end(server);
		};
		await waitFor("ffmpeg's first report", READY_WITHIN_MS, async () =>
			/^frame=\s*\d+/m.test(report) ? true : undefined,
		);
		return new Grab(roots, () => report, close);
	}

	usage(): { readonly cpuSeconds: number; readonly memoryBytes: number } {
		const usages = this.#roots.flatMap(({ pid }) => (pid === undefined ? [] : [usageOf(pid, /./)]));
		return {
			cpuSeconds: usages.reduce((sum, each) => sum + each.cpuSeconds, 0),
			memoryBytes: usages.reduce((sum, each) => sum + each.memoryBytes, 0),
		};
	}

	counters(): ReturnType<typeof readProgress> {
		return readProgress(this.#report());
	}

	stop(): Promise<void> {
		return this.#close();
	}
}

/** An X server that chooses its own free number and says which. */
async function startDisplay(): Promise<{ readonly server: ChildProcess; readonly display: string }> {
	const server = spawn(
		"Xvfb",
		["-displayfd", "3", "-screen", "0", `${SIZE.width}x${SIZE.height}x24`, "-nolisten", "tcp"],
		{
			stdio: ["ignore", "ignore", "ignore", "pipe"],
		},
	);
	const told = server.stdio[3];
	if (told === null || told === undefined) {
		throw new Error("Xvfb: expected a pipe to read its display from, got none");
	}
	const [number] = await Promise.race([
		once(told, "data"),
		once(server, "exit").then(([code]) => {
			throw new Error(`Xvfb: expected a display, got exit code ${code}`);
		}),
	]);
	return { server, display: `:${String(number).trim()}` };
}

async function end(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) {
		return;
	}
	const exited = once(child, "exit");
	child.kill("SIGTERM");
	const ended = await Promise.race([exited.then(() => true), sleep(END_WITHIN_MS, false)]);
	if (!ended) {
		child.kill("SIGKILL");
		await exited;
	}
}
