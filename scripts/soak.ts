import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ApiClient } from "./api.ts";
import { CleanUp } from "./clean-up.ts";
import { makeClips, makeVoices, publish } from "./demo/people.ts";
import { ProgramReceiver } from "./demo/program-receiver.ts";
import { startTandem } from "./local-system.ts";
import { usageOf } from "./process-usage.ts";
import { judgeSoak, type SoakSample, soakTable } from "./soak/verdict.ts";
import { waitFor } from "./wait-for.ts";

/**
 * `npm run soak [-- --minutes 10]`: two people on air for that long, then whether memory or latency grew. Exit code 1 when something did.
 */

const OUTPUT_FOLDER = "demo-output";
const LONGEST_MINUTES = 24 * 60;
const SAMPLE_EVERY_MS = 5_000;
const ON_AIR_WITHIN_MS = 60_000;

/** Which of our descendants a figure is about, by command name. */
const PARTS = { page: /chrom/i, worker: /^workerd/, runner: /^(node|MainThread)$/ } as const;

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } }, strict: true });
const minutes = Number(values.minutes);
if (!(minutes >= 3 && minutes <= LONGEST_MINUTES)) {
	throw new Error(`soak: expected --minutes from 3 to ${LONGEST_MINUTES}, got ${values.minutes}`);
}

mkdirSync(OUTPUT_FOLDER, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), "tandem-soak-"));
const cleanUp = new CleanUp();
cleanUp.add(() => rmSync(scratch, { recursive: true, force: true }));
let stopAsked = false;
process.on("SIGINT", () => {
	stopAsked = true;
});

await cleanUp.around(run);

async function run(): Promise<void> {
	const clips = await makeClips(scratch, makeVoices(scratch));
	const system = await startTandem({ port: 0, rtmpPort: 0, logTo: join(OUTPUT_FOLDER, "soak.log") });
	cleanUp.add(() => system.stop());
	const receiver = await ProgramReceiver.listen(join(scratch, "program.flv"));
	cleanUp.add(() => receiver.close());
	const api = new ApiClient(system.apiUrl, system.adminToken);
	const broadcast = await api.create({
		title: "Soak",
		alwaysCompose: true,
		destinations: [{ url: receiver.url, streamKey: "soak" }],
	});
	await api.start(broadcast.id);
	for (const person of ["host", "guest"] as const) {
		const { url, streamKey } = broadcast.ingest[person].rtmp;
		const publisher = publish(clips[person], `${url}/${streamKey}`);
		cleanUp.add(() => publisher.stop());
	}
	await waitFor("both people on air", ON_AIR_WITHIN_MS, async () => {
		const people = (await api.stats(broadcast.id)).compositor.reported?.stats.people ?? [];
		return people.length > 0 && people.every(({ picture }) => picture === "live") ? true : undefined;
	});

	const samples: SoakSample[] = [];
	const startedMs = performance.now();
	while (!stopAsked && performance.now() - startedMs < minutes * 60_000) {
		await sleep(SAMPLE_EVERY_MS);
		const stats = (await api.stats(broadcast.id)).compositor.reported?.stats;
		if (stats === undefined) {
			throw new Error("soak: expected figures from the compositor, got none");
		}
		const bytes = (part: keyof typeof PARTS) => usageOf(process.pid, PARTS[part]).memoryBytes;
		samples.push({
			atMs: performance.now() - startedMs,
			pageBytes: bytes("page"),
			workerBytes: bytes("worker"),
			runnerBytes: bytes("runner"),
			latencyP50Ms: stats.latencyMs.inputToEncodedP50,
			latencyP95Ms: stats.latencyMs.inputToEncodedP95,
			avSkewMs: stats.avSkewMs,
			frames: stats.program.frames,
			heldFrames: stats.program.heldFrames,
			droppedFrames: stats.program.droppedFrames,
		});
	}
	await api.end(broadcast.id);

	console.log(soakTable(samples));
	const faults = judgeSoak(samples);
	console.log(faults.length === 0 ? "flat: neither memory nor latency grew" : faults.join("\n"));
	console.log(`${receiver.videoTags} frames received in ${receiver.sessions} RTMP session`);
	process.exitCode = faults.length === 0 && receiver.sessions === 1 ? 0 : 1;
}
