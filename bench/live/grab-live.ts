import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TimeoutError } from "puppeteer-core";
import type { DemoPerson } from "../../scripts/demo/people.ts";
import { serveFiles } from "../../test/support/browser/file-server.ts";
import { grabShares } from "./grab-figures.ts";
import type { LiveFigures } from "./live-figures.ts";
import { GRAB_FRAME_RATE, ScreenGrab } from "./screen-grab.ts";

/**
 * The way LiveKit Egress and Jibri work, built of public tools: a Chromium page with two `<video>` elements on an X server without a screen, grabbed by ffmpeg
 * and encoded by libx264. The videos come from files, which is less work than WebRTC would be, and there is no sound: both in its favour.
 */

const SETTLE_MS = 8_000;

const PAGE = `<!doctype html><meta charset="utf-8"><title>grab</title>
<style>html,body{margin:0;background:#000;overflow:hidden}body{display:flex;width:100vw;height:100vh}video{width:50%;height:100%;object-fit:cover}</style>
<video src="host.mp4" muted autoplay loop></video><video src="guest.mp4" muted autoplay loop></video>`;

/** Puts as many such pages on air, each on a display of its own, and looks at them for a while. `undefined` when the machine does not get them to play. */
export async function measureScreenGrab(
	folder: string,
	clips: Record<DemoPerson, string>,
	broadcasts: number,
	seconds: number,
): Promise<LiveFigures | undefined> {
	await using opened = new AsyncDisposableStack();
	const site = await makeSite(folder, clips);
	const server = await serveFiles(site);
	opened.defer(() => server.close());
	const grabs: ScreenGrab[] = [];
	try {
		for (let index = 0; index < broadcasts; index++) {
			const home = join(folder, `grab-home-${index}`);
			grabs.push(opened.use(await ScreenGrab.start(home, `${server.origin}/page.html`)));
		}
	} catch (error) {
		if (error instanceof TimeoutError) {
			return undefined;
		}
		throw error;
	}
	await sleep(SETTLE_MS);
	const counters = () => Promise.all(grabs.map((grab) => grab.counters()));
	const cpuSeconds = () => grabs.reduce((sum, grab) => sum + grab.cpuSeconds(), 0);
	const [counted, before, startedMs] = [await counters(), cpuSeconds(), performance.now()];
	await sleep(seconds * 1_000);
	const [after, tookS] = [cpuSeconds(), (performance.now() - startedMs) / 1_000];
	const { repeated, dropped } = grabShares(counted, await counters(), GRAB_FRAME_RATE);
	return {
		broadcasts,
		coresEach: (after - before) / tookS / broadcasts,
		memoryEachBytes: grabs.reduce((sum, grab) => sum + grab.memoryBytes(), 0) / broadcasts,
		repeatedShare: repeated,
		droppedShare: dropped,
	};
}

async function makeSite(folder: string, clips: Record<DemoPerson, string>): Promise<string> {
	const site = join(folder, "grab");
	await mkdir(site, { recursive: true });
	await writeFile(join(site, "page.html"), PAGE);
	for (const person of ["host", "guest"] as const) {
		await cp(clips[person], join(site, `${person}.mp4`));
	}
	return site;
}
