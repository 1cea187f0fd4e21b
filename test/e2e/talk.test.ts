import { describe, expect, it } from "vitest";
import { unsound } from "../../scripts/talk/cases.ts";
import type { Quantiles } from "../../scripts/talk/figures.ts";
import { TalkStage } from "../../scripts/talk/stage.ts";
import { TALKERS } from "../support/system/talkers.ts";

/** Ten times what is to be reached, so that only what does not work fails: `npm run talk` measures. */
const GOOD_LINE_WITHIN_MS = 2_000;
const BY_THE_EDGE_WITHIN_MS = 5_000;

function expectWithin(limitMs: number, figures: readonly (Quantiles | undefined)[]): void {
	for (const quantiles of figures) {
		expect(quantiles?.p50).toBeGreaterThan(0);
		expect(quantiles?.p50).toBeLessThan(limitMs);
	}
}

describe("two people who talk", () => {
	it("are on air by their real-time legs, see and hear each other, and the program goes back to the host when the guest leaves", async () => {
		await using stage = await TalkStage.set();
		await stage.hostGoesLive();
		await stage.measureFromHere();
		await stage.guestComes();
		await stage.untilProgramIs("composite");
		await stage.untilLegsAre("real-time");
		await stage.untilTheyTalk();
		await stage.untilHostSleeps();
		await stage.lasts(3_000);
		await stage.guestLeaves();
		await stage.untilProgramIs("host");
		await stage.lasts(1_000);
		await stage.measureToHere();
		const result = await stage.finish();
		expect(unsound(result)).toEqual([]);
		const { host, guest, program } = result;
		expect(program.splices).toBeGreaterThanOrEqual(2);
		expectWithin(GOOD_LINE_WITHIN_MS, [
			host?.seen,
			host?.heard,
			guest?.seen,
			guest?.heard,
			program.seen,
			program.heard,
		]);
		for (const [index] of TALKERS.entries()) {
			expect(program.pictures[index]).toBeGreaterThan(30);
			expect(program.beeps[index]).toBeGreaterThanOrEqual(2);
		}
	});

	it("go on where UDP does not get through: by way of the edge, and the pages say so", async () => {
		await using stage = await TalkStage.set();
		stage.proxy.set({ blackhole: true });
		await stage.hostGoesLive();
		await stage.guestComes();
		await stage.untilProgramIs("composite");
		await stage.untilLegsAre("stream");
		await stage.measureFromHere();
		await stage.untilTheyTalk();
		await stage.untilPagesTellOfDetour();
		await stage.lasts(2_000);
		await stage.measureToHere();
		const result = await stage.finish();
		expect(unsound(result)).toEqual([]);
		const { host, guest, program } = result;
		expectWithin(BY_THE_EDGE_WITHIN_MS, [host?.seen, guest?.seen, program.seen]);
		expect(stage.proxy.counts.carried).toBe(0);
	});
});
