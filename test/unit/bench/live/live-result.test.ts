import { describe, expect, test } from "vitest";
import { cellText } from "../../../../bench/harness/markdown.ts";
import type { LiveFigures } from "../../../../bench/live/live-figures.ts";
import { liveResult } from "../../../../bench/live/live-result.ts";
import { liveScope } from "../../../../bench/live/live-scope.ts";
import { liveVerdicts } from "../../../../bench/live/live-verdicts.ts";

function run(coresEach: number, more: Partial<LiveFigures> = {}): LiveFigures {
	return {
		...{ broadcasts: 1, coresEach, memoryEachBytes: 400 * 2 ** 20, repeatedShare: 0, droppedShare: 0 },
		...{ latencyP50Ms: 30, latencyP95Ms: 50 },
		...more,
	};
}

describe("scope", () => {
	test("is all broadcasts without a wish, and the peer's first two", () => {
		expect(liveScope({})).toEqual({ seconds: 15, ours: [1, 2, 3, 4], theirs: [1, 2] });
	});

	test("is what the environment wishes", () => {
		const wish = { BENCH_LIVE_BROADCASTS: "1,3", BENCH_LIVE_SECONDS: "5" };
		expect(liveScope(wish)).toEqual({ seconds: 5, ours: [1, 3], theirs: [1] });
	});

	test.each([
		{ BENCH_LIVE_BROADCASTS: "0" },
		{ BENCH_LIVE_BROADCASTS: "one" },
		{ BENCH_LIVE_BROADCASTS: "" },
		{ BENCH_LIVE_SECONDS: "0" },
		{ BENCH_LIVE_SECONDS: "soon" },
	])("refuses %j", (wish) => {
		expect(() => liveScope(wish)).toThrow(/^BENCH_LIVE_\w+: expected /);
	});
});

describe("verdicts", () => {
	test("go by the median of the runs, and ratios by pairs of runs", () => {
		const verdicts = liveVerdicts({
			one: [run(0.4), run(0.6), run(0.5)],
			several: [run(1)],
			theirs: [run(1.25), run(1.9), run(1)],
		});
		expect(verdicts.map(({ reached, measured }) => [reached, measured])).toEqual([
			[true, "0.50"],
			[true, "400 MiB"],
			[true, "0.0 %"],
			[true, "0.32×"],
			[true, "50 ms"],
		]);
	});

	test("what is past its bound is not reached", () => {
		const late = run(0.51, { memoryEachBytes: 513 * 2 ** 20, repeatedShare: 0.011, latencyP95Ms: 61 });
		const verdicts = liveVerdicts({ one: [late], several: [late], theirs: [run(1.5)] });
		expect(verdicts.map(({ reached }) => reached)).toEqual([false, false, false, false, false]);
	});

	test("what did not stay on air has reached nothing", () => {
		const verdicts = liveVerdicts({ one: [run(0.4)], several: [run(0.4), undefined], theirs: [run(2)] });
		expect(verdicts[2]).toMatchObject({ reached: false, measured: "1 of 2 runs did not stay on air" });
	});

	test("what was not measured has none", () => {
		const verdicts = liveVerdicts({ one: [run(0.4)], several: [], theirs: [run(2)] });
		expect(verdicts.map(({ target }) => target).join()).not.toContain("repeated");
	});
});

describe("result", () => {
	const scope = { seconds: 15, ours: [1, 2], theirs: [1] };
	const around = { worker: 0.1, runner: 0.2, publishers: 0.3 };
	const measured = new Map([
		["Tandem, 1", [run(0.4, { around, spareBytes: 100 * 2 ** 20 })]],
		["Tandem, 2", [run(0.4, { around, broadcasts: 2 }), undefined]],
		["x11grab, 1", [run(1.5)]],
	]);

	test("has a row for each way, with the runs that stayed on air", () => {
		const [table] = liveResult(measured, scope).tables;
		expect(table?.rows.map(([name, stayed]) => [name, stayed])).toEqual([
			["Tandem, 1", "1 of 1 runs"],
			["Tandem, 2", "1 of 2 runs"],
			["x11grab, 1", "1 of 1 runs"],
		]);
		expect(table?.rows.every((row) => row.length === table.columns.length)).toBe(true);
	});

	test("sums the cores of all that takes part", () => {
		const table = liveResult(measured, scope).tables[1];
		expect(table?.rows.map((row) => cellText(row.at(-1)).replace(/ .*/, ""))).toEqual(["1.00", "1.40", "1.50"]);
	});
});
