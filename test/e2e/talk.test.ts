import { describe, expect, it } from "vitest";
import { unsound } from "../../scripts/talk/cases.ts";
import { TalkStage } from "../../scripts/talk/stage.ts";

/** Ten times what is to be reached, so that only what does not work fails: `npm run talk` measures. */
const SEEN_WITHIN_MS = 5_000;

describe("two people who talk", () => {
	it("are on air by their real-time legs, see and hear each other, and the program goes back to the host when the guest leaves", async () => {
		await using stage = await TalkStage.set();
		await stage.hostGoesLive();
		await stage.measureFromHere();
		await stage.guestComes();
		await stage.untilProgramIs("composite");
		await stage.untilLegsAre("real-time");
		await stage.untilTheyTalk();
		await stage.lasts(3_000);
		await stage.guestLeaves();
		await stage.untilProgramIs("host");
		await stage.measureToHere();
		const result = await stage.finish();
		expect(unsound(result)).toEqual([]);
		expect(result.program.splices).toBeGreaterThanOrEqual(2);
		expect(result.program.seen?.p50).toBeLessThan(SEEN_WITHIN_MS);
		expect(result.host?.seen?.p50).toBeLessThan(SEEN_WITHIN_MS);
	});

	it("go on where UDP does not get through: by way of the edge, and the pages say so", async () => {
		await using stage = await TalkStage.set();
		stage.proxy.set({ blackhole: true });
		await stage.hostGoesLive();
		await stage.guestComes();
		await stage.untilProgramIs("composite");
		await stage.untilLegsAre("stream");
		await stage.untilTheyTalk();
		await stage.measureFromHere();
		await stage.lasts(2_000);
		await stage.measureToHere();
		const result = await stage.finish();
		expect(result.program.sessions).toBe(1);
		expect(result.program.timeBack).toBe(0);
		expect(result.guest?.seen?.p50).toBeLessThan(SEEN_WITHIN_MS);
	});
});
