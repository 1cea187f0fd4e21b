import { readFileSync, statSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { ApiClient } from "../../scripts/api.ts";
import { RunnerProcess } from "../../scripts/local-system/runner-process.ts";
import { type LocalSystem, startTandem } from "../../scripts/local-system.ts";
import { waitFor } from "../../scripts/wait-for.ts";
import { makeMovingClip } from "../support/peers/clips.ts";
import { DestinationServer } from "../support/peers/destination-server.ts";
import { publishFile } from "../support/peers/ffmpeg-publisher.ts";
import { TempFolder } from "../support/peers/temp-folder.ts";
import { type NginxRtmp, startNginxRtmp } from "../support/rtmp/nginx-rtmp.ts";
import { LiveBroadcast } from "../support/system/broadcast.ts";

/** Destinations that are published to from a runner, and a runner that dies under them. No compositor is there: the host is passed through. */

const FORMAT = { width: 640, height: 360, frameRate: 30 };
const KEY = "s3cret-key";
const WITHIN_MS = 60_000;
const SERVER_MS = 200_000;
/** A runner that is killed is given up after 12 s; the next publisher's first picture comes within a few more. */
const AWAY_WITHIN_MS = 30_000;
/** One that is stopped says so; the next is asked at once. */
const HANDED_OVER_WITHIN_MS = 10_000;

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
let system: LocalSystem;
let broadcast: LiveBroadcast;
let nginx: NginxRtmp;
let destination: DestinationServer;
const log: string[] = [];
const runners: RunnerProcess[] = [];

beforeAll(async () => {
	const clip = folder.file("host.flv");
	await makeMovingClip(clip, 440, { ...FORMAT, seconds: 20 });
	system = await startTandem({ port: 0, rtmpPort: 0, capacity: 0, egressPlaces: 0, persist: folder.file("system") });
	undo.defer(() => system.stop());
	nginx = await startNginxRtmp(folder.path, SERVER_MS);
	undo.defer(() => nginx.stop());
	destination = undo.use(await DestinationServer.listen());
	const api = new ApiClient(system.apiUrl, system.adminToken);
	const created = await api.create({ title: "From a runner", ...FORMAT, alwaysCompose: false });
	await api.start(created.id);
	broadcast = new LiveBroadcast(api, created);
	for (const url of [`rtmp://127.0.0.1:${nginx.port}/live`, destination.url]) {
		await api.call("POST", `/api/broadcasts/${created.id}/destinations`, { url, streamKey: KEY, via: "runner" });
	}
	undo.use(publishFile(clip, broadcast.publishUrl("host"), { loop: true }));
});

afterAll(() => undo.disposeAsync());

async function startRunner(): Promise<RunnerProcess> {
	const runner = await RunnerProcess.start({
		apiUrl: system.apiUrl,
		runnerToken: system.runnerToken,
		capacity: 0,
		log: (line) => log.push(line),
	});
	undo.defer(() => runner.stop());
	runners.push(runner);
	return runner;
}

async function untilStates(state: string, withinMs = WITHIN_MS) {
	return await waitFor(`every destination ${state}`, withinMs, async () => {
		const { destinations } = await broadcast.stats();
		return destinations.length === 2 && destinations.every((one) => one.egress?.state === state)
			? destinations
			: undefined;
	});
}

it("waits for a runner, publishes by it, and goes on by the next when it dies", async () => {
	const waiting = await untilStates("retrying");
	expect(waiting.map(({ egress }) => egress?.lastError)).toEqual([
		expect.stringContaining("expected a runner"),
		expect.stringContaining("expected a runner"),
	]);

	const first = await startRunner();
	await untilStates("live");
	const { latest } = destination;
	await waitFor("pictures", WITHIN_MS, () => (latest.videoFrames > 60 ? true : undefined));
	expect(latest.kinds().slice(0, 3)).toEqual(["video-config", "audio-config", "video-key"]);
	await waitFor("nginx to record", WITHIN_MS, () => (sizeOf(nginx.recordingOf(KEY)) > 100_000 ? true : undefined));

	const lastMs = latest.frameTimesMs().at(-1) ?? Number.NaN;
	const killedMs = performance.now();
	process.kill(z.number().parse(first.pid), "SIGKILL");
	await startRunner();
	await waitFor("another session", WITHIN_MS, () => (destination.sessions.length === 2 ? true : undefined));
	await untilStates("live");
	const awayMs = performance.now() - killedMs;
	expect(awayMs).toBeLessThan(AWAY_WITHIN_MS);
	expect(latest.ended, "no goodbye from a runner that was killed").not.toContain("the publisher ended the stream");
	const again = destination.latest;
	await waitFor("pictures again", WITHIN_MS, () => (again.videoFrames > 30 ? true : undefined));
	expect(again.kinds().slice(0, 3)).toEqual(["video-config", "audio-config", "video-key"]);
	const firstMs = again.frameTimesMs()[0] ?? Number.NaN;
	expect(firstMs, "its time went on meanwhile").toBeGreaterThan(lastMs + 5_000);
	expect(firstMs).toBeLessThan(lastMs + awayMs + 5_000);
	for (const { egress } of (await broadcast.stats()).destinations) {
		expect(egress).toMatchObject({ state: "live", reconnects: 1 });
	}
	console.log(`runner killed: destinations live again after ${Math.round(awayMs)} ms`);
});

it("leaves without a goodbye when its runner is stopped, another goes on at once, and the end is said", async () => {
	const publishing = runners.at(-1);
	await startRunner();
	const before = destination.latest;
	const stoppedMs = performance.now();
	await publishing?.stop();
	await waitFor("a third session", WITHIN_MS, () => (destination.sessions.length === 3 ? true : undefined));
	await untilStates("live");
	const awayMs = performance.now() - stoppedMs;
	expect(awayMs).toBeLessThan(HANDED_OVER_WITHIN_MS);
	expect(before.ended).not.toContain("the publisher ended the stream");
	console.log(`runner stopped: destinations live again after ${Math.round(awayMs)} ms`);
	await broadcast.end();
	await waitFor("the goodbye", WITHIN_MS, () => destination.latest.ended);
	expect(destination.latest.ended).toContain("the publisher ended the stream");
	await untilStates("stopped");
});

it("writes no key anywhere", () => {
	const written = `${log.join("\n")}\n${readFileSync(system.logFile, "utf8")}`;
	expect(written).toContain("publishing");
	expect(written).not.toContain(KEY);
});

function sizeOf(file: string): number {
	return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
