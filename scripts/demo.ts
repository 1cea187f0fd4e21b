import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LAYOUT_NAMES } from "../media/layout.ts";
import { ApiClient, type BroadcastStats } from "./api.ts";
import { CleanUp } from "./clean-up.ts";
import { demoOptions } from "./demo/options.ts";
import { makeClips, makeVoices, publish } from "./demo/people.ts";
import { ProgramReceiver } from "./demo/program-receiver.ts";
import { demoResult, liveLine, secondsBetween } from "./demo/result.ts";
import { startTandem } from "./local-system.ts";
import { usageOf } from "./process-usage.ts";
import { waitFor } from "./wait-for.ts";

/**
 * `npm run demo [-- --seconds N --json]`: two people made on the spot go on air over real RTMP; the program is received, shown and kept as
 * demo-output/program.mp4.
 */

const OUTPUT_FOLDER = "demo-output";
const LAYOUT_EVERY_S = 5;
const ON_AIR_WITHIN_MS = 60_000;
const COMPOSITOR_PROCESS = /chrom/i;

const options = demoOptions(process.argv.slice(2));
const say = (text: string) => (options.json ? console.error(text) : console.log(text));

let stopAsked = false;
process.on("SIGINT", () => {
	stopAsked = true;
});
process.on("SIGTERM", () => {
	stopAsked = true;
});

mkdirSync(OUTPUT_FOLDER, { recursive: true });
const flvPath = join(OUTPUT_FOLDER, "program.flv");
const mp4Path = join(OUTPUT_FOLDER, "program.mp4");
const scratch = mkdtempSync(join(tmpdir(), "tandem-demo-"));
const cleanUp = new CleanUp();
cleanUp.add(() => rmSync(scratch, { recursive: true, force: true }));

await cleanUp.around(run);

async function run(): Promise<void> {
	say("Filming two people (some 15 s)…");
	const clips = await makeClips(scratch, makeVoices(scratch));
	say("Starting Tandem: Worker, runner and a spare browser…");
	const system = await startTandem({ port: 0, rtmpPort: 0, logTo: join(OUTPUT_FOLDER, "tandem.log") });
	cleanUp.add(() => system.stop());
	const receiver = await ProgramReceiver.listen(flvPath);
	let received = false;
	cleanUp.add(async () => {
		if (!received) {
			await receiver.close();
		}
	});

	const api = new ApiClient(system.apiUrl, system.adminToken);
	const broadcast = await api.create({
		title: "Tandem demo",
		hostName: "Hanna Host",
		guestName: "Gustav Guest",
		// One picture format from the first frame on, so that the recording is one file that any player takes.
		alwaysCompose: true,
		destinations: [{ name: "Demo receiver", url: receiver.url, streamKey: "demo" }],
	});
	await api.start(broadcast.id);

	say("Two people go on air…");
	for (const person of ["host", "guest"] as const) {
		const { url, streamKey } = broadcast.ingest[person].rtmp;
		const publisher = publish(clips[person], `${url}/${streamKey}`);
		cleanUp.add(() => publisher.stop());
		void publisher.ended.then((how) => stopAsked || say(`${person}: ${how}`));
	}

	const first = await waitFor("both people on air and the program at its destination", ON_AIR_WITHIN_MS, async () => {
		const stats = await api.stats(broadcast.id);
		return stopAsked || isOnAir(stats) ? stats : undefined;
	});
	say(`\nWatch it at ${system.apiUrl}/monitor/#broadcast=${broadcast.id}&token=${broadcast.tokens.host}`);
	say(options.seconds === undefined ? "Ctrl-C ends it.\n" : `It ends by itself in ${options.seconds} s.\n`);

	const startedMs = performance.now();
	const cpuAtStart = usageOf(process.pid, COMPOSITOR_PROCESS).cpuSeconds;
	const elapsedSeconds = () => (performance.now() - startedMs) / 1_000;
	const cores = () =>
		(usageOf(process.pid, COMPOSITOR_PROCESS).cpuSeconds - cpuAtStart) / Math.max(elapsedSeconds(), 1);
	const bitrates: number[] = [];
	let last = first;
	let layoutIndex = 0;
	// Counted by the compositor's own clock, so that frames and seconds are of the same moment.
	const secondsOnAir = () => secondsBetween(first, last);
	while (!stopAsked && secondsOnAir() < (options.seconds ?? Number.POSITIVE_INFINITY)) {
		await sleep(1_000);
		const wanted = Math.floor(secondsOnAir() / LAYOUT_EVERY_S);
		if (wanted !== layoutIndex) {
			layoutIndex = wanted;
			await api.setLayout(broadcast.id, LAYOUT_NAMES[(layoutIndex + 2) % LAYOUT_NAMES.length] ?? "landscape");
		}
		last = await api.stats(broadcast.id);
		bitrates.push(last.compositor.reported?.stats.program.videoBitrateBps ?? 0);
		showLine(liveLine(last, secondsOnAir(), cores()));
	}
	const seconds = secondsOnAir();
	const compositorCores = cores();
	stopAsked = true;

	say("\nEnding the broadcast…");
	await api.end(broadcast.id);
	await receiver.close();
	received = true;
	execFileSync("ffmpeg", ["-y", "-loglevel", "error", "-i", flvPath, "-c", "copy", "-movflags", "+faststart", mp4Path]);
	rmSync(flvPath);
	const videoBitrateBps = bitrates.reduce((sum, each) => sum + each, 0) / Math.max(bitrates.length, 1);
	const file = relative(".", mp4Path);
	say(`The program is in ${file} (${receiver.videoTags} frames received in ${receiver.sessions} RTMP session).`);
	if (options.json) {
		console.log(JSON.stringify(demoResult({ seconds, compositorCores, file, first, last, videoBitrateBps })));
	}
}

function isOnAir(stats: BroadcastStats): boolean {
	const people = stats.compositor.reported?.stats.people ?? [];
	const everyoneSeen = people.length > 0 && people.every((person) => person.picture === "live");
	return everyoneSeen && stats.destinations.every(({ state }) => state === "live");
}

function showLine(line: string): void {
	if (!options.json && process.stdout.isTTY) {
		process.stdout.write(`\r\x1b[2K${line.slice(0, process.stdout.columns)}`);
	} else {
		say(line);
	}
}
