import { expect, it } from "vitest";
import { startResult, WAYS } from "../../../../bench/start/start-result.ts";

const STEPS = { answeredMs: 20, assignedMs: 40, composedMs: 1_500 };

it("judges the median of the warm starts", () => {
	const start = (receivedMs: number) => ({ ...STEPS, receivedMs });
	const measured = new Map([
		[WAYS.warm, [start(1_900), start(2_100), start(2_050)]],
		[WAYS.cold, [{ ...start(3_000), launchedMs: 1_200 }]],
		[WAYS.ffmpeg, [{ receivedMs: 900 }]],
	]);
	expect(startResult(measured).verdicts).toEqual([
		{ target: "guest admitted → on air, warm ≤ 2 s", measured: "2.05 s (1.90–2.10)", reached: false },
	]);
});

it("leaves out the steps that a way does not have, and refuses one that should have been seen", () => {
	const [table] = startResult(new Map([[WAYS.warm, [{ receivedMs: 900 }]]])).tables;
	expect(table?.rows[0]?.slice(1, 5)).toEqual([undefined, undefined, undefined, undefined]);
	const unseen = new Map([[WAYS.warm, [{ composedMs: Number.NaN, receivedMs: 900 }]]]);
	expect(() => startResult(unseen)).toThrow("spread: expected finite values");
});
