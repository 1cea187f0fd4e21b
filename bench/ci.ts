import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CleanUp } from "../scripts/clean-up.ts";
import { BrowserSession } from "../test/support/browser/browser-session.ts";
import { interleave } from "./harness/interleave.ts";
import { quantile, ratios } from "./harness/statistics.ts";
import { Clips } from "./throughput/clips.ts";
import { measureRate, type Rate } from "./throughput/measure-rate.ts";
import { SHAPES } from "./throughput/program-shape.ts";

/**
 * `npm run bench:ci`: under a minute, and fails only on ratios within this very run, with so much room that a busy machine passes and code that has become
 * twice as slow does not.
 */

const SHAPES_TRIED = ["landscape", "pip"];
const FRAMES = 90;
const RUNS = 3;
/** About the middle between what `npm run bench -- throughput` measures (3.4 to 4.2, and 0.9 to 1.1) and half of it. */
const LEAST = { canvas: 2.25, "ffmpeg ultrafast": 0.65 } as const;
const OTHERS = ["canvas", "ffmpeg ultrafast"] as const;

const folder = mkdtempSync(join(tmpdir(), "tandem-bench-ci-"));
const cleanUp = new CleanUp();
cleanUp.add(() => rmSync(folder, { recursive: true, force: true }));

await cleanUp.around(async () => {
	const clips = new Clips(folder, FRAMES);
	const browser = await BrowserSession.open();
	cleanUp.add(() => browser.close());
	for (const shape of SHAPES.filter(({ name }) => SHAPES_TRIED.includes(name))) {
		const films = { paths: await clips.paths(shape), bytes: await clips.bytes(shape) };
		const measured = await interleave<Rate>(
			(["planar", ...OTHERS] as const).map((name) => ({
				name,
				measure: () => measureRate(name, shape, films, FRAMES, browser),
			})),
			{ runs: RUNS, warmUp: true },
		);
		const rates = (name: string) => (measured.get(name) ?? []).map(({ fps }) => fps);
		for (const other of OTHERS) {
			const ratio = quantile(ratios(rates("planar"), rates(other)), 0.5);
			const isEnough = ratio >= LEAST[other];
			console.log(
				`${isEnough ? "ok  " : "FAIL"} ${shape.name}: ${ratio.toFixed(2)}× ${other} (at least ${LEAST[other]})`,
			);
			if (!isEnough) {
				process.exitCode = 1;
			}
		}
	}
});
