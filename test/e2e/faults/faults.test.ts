import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FaultBench } from "../../../scripts/faults/bench.ts";
import { casesNamed } from "../../../scripts/faults/cases.ts";
import { Clips } from "../../../scripts/faults/clips.ts";
import { runCaseOn } from "../../../scripts/faults/run-case.ts";
import { TempFolder } from "../../support/peers/temp-folder.ts";

/**
 * The short ones of `npm run faults`, one after the other on one system, which must survive them all. Judged is what no slow machine excuses: sessions, times that
 * do not rise, what is shown twice, and that the stream goes on; how soon is the command's to judge.
 */

const CLIP_SECONDS = 60;
const WATCHING = { beforeMs: 1_500, afterMs: 2_000 };
const SHORT = casesNamed([
	...["solo", "guest-joins", "guest-leaves", "browser-kill", "workerd-kill"],
	...["host-away-3s", "times-from-zero", "times-2^32", "destination-down-10s", "destination-busy"],
]);

const undo = new AsyncDisposableStack();
const folder = undo.use(new TempFolder());
const clips = new Clips(folder.path, CLIP_SECONDS);
let bench: FaultBench;

beforeAll(async () => {
	bench = undo.use(await FaultBench.start({ compositors: 1 }));
});

afterAll(() => undo.disposeAsync());

describe("a destination sees one unbroken stream", () => {
	it.each(SHORT)("when: $what", async (each) => {
		const { verdict, unsound, slow } = await runCaseOn(bench, each, clips, WATCHING);
		console.info(`${each.name}: ${JSON.stringify(verdict)} ${slow.join("; ")}`);
		expect(unsound).toEqual([]);
	});
});
