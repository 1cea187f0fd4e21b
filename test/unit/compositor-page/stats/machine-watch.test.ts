import { expect, test } from "vitest";
import { FrameRates } from "../../../../compositor-page/stats/frame-rates.ts";
import { MachineWatch } from "../../../../compositor-page/stats/machine-watch.ts";

const INTERVAL_US = 1e6 / 30;

test("counts output frames left out, and those begun half an interval late", () => {
	const watch = new MachineWatch(INTERVAL_US);
	expect(watch.look()).toEqual({ lateShare: 0 });
	for (let index = 0; index < 8; index += 1) {
		watch.note({ index, dueUs: 0, skipped: 0 }, index < 6 ? INTERVAL_US * 0.4 : INTERVAL_US * 0.6);
	}
	watch.note({ index: 20, dueUs: 0, skipped: 12 }, 0);
	expect(watch.look().lateShare).toBeCloseTo(14 / 21);
	expect(watch.look()).toEqual({ lateShare: 0 });
});

test("says how many pictures a second come of each", () => {
	const rates = new FrameRates();
	expect([...rates.look([{ id: "host", videoIn: 100 }], 1e6)]).toEqual([["host", 0]]);
	const next = rates.look(
		[
			{ id: "host", videoIn: 160 },
			{ id: "guest", videoIn: 9 },
		],
		3e6,
	);
	expect([...next]).toEqual([
		["host", 30],
		["guest", 0],
	]);
});
