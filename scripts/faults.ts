import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createLog } from "../runner/log.ts";
import { CleanUp } from "./clean-up.ts";
import { CASES, casesNamed } from "./faults/cases.ts";
import { Clips } from "./faults/clips.ts";
import { type CaseResult, runCase } from "./faults/run-case.ts";
import { faultsTable, isGood } from "./faults/table.ts";
import { openLogFile } from "./local-system/log-file.ts";

/**
 * `npm run faults [-- --only=tab-crash,times-* --json --keep]`: injects each fault into the real system, and judges what a destination
 * received. `--keep` leaves every frame's number and time in `demo-output`. Exit code 1
 * when a target is missed.
 */

const OUTPUT_FOLDER = "demo-output";
/** The longest case, a destination that is down for a minute, with its start and its end. */
const CLIP_SECONDS = 150;

const { values } = parseArgs({
	options: {
		only: { type: "string" },
		json: { type: "boolean", default: false },
		keep: { type: "boolean", default: false },
		list: { type: "boolean", default: false },
	},
	strict: true,
});

if (values.list) {
	console.log(CASES.map(({ name, what }) => `${name}: ${what}`).join("\n"));
} else {
	await run();
}

async function run(): Promise<void> {
	const cases = casesNamed(values.only?.split(",") ?? []);
	mkdirSync(OUTPUT_FOLDER, { recursive: true });
	const scratch = mkdtempSync(join(tmpdir(), "tandem-faults-"));
	const cleanUp = new CleanUp();
	cleanUp.add(() => rmSync(scratch, { recursive: true, force: true }));
	const log = openLogFile(join(OUTPUT_FOLDER, "faults.log"));
	cleanUp.add(() => log.close());
	let stopAsked = false;
	process.on("SIGINT", () => {
		stopAsked = true;
		console.error("faults: ending after this case");
	});
	await cleanUp.around(async () => {
		const clips = new Clips(scratch, CLIP_SECONDS);
		const results: CaseResult[] = [];
		for (const [index, each] of cases.entries()) {
			if (stopAsked) {
				break;
			}
			createLog("faults", log.write)(`case ${each.name}`);
			const result = await runCase(each, clips, { onLog: log.write });
			const { timeline, ...judged } = result;
			results.push(judged);
			if (values.keep) {
				writeFileSync(join(OUTPUT_FOLDER, `fault-${each.name}.json`), JSON.stringify({ ...judged, timeline }));
			}
			const misses = [...result.unsound, ...result.slow];
			console.error(`faults ${index + 1}/${cases.length} ${each.name}: ${isGood(result) ? "ok" : misses.join("; ")}`);
		}
		console.log(values.json ? JSON.stringify(results, undefined, "\t") : faultsTable(results));
		process.exitCode = results.length === cases.length && results.every(isGood) ? 0 : 1;
	});
}
