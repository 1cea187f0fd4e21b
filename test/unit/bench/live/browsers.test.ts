import { describe, expect, test } from "vitest";
import { browsersAmong, browsersByDuty, workBetween } from "../../../../bench/live/browsers.ts";
import { parseStat } from "../../../../scripts/process-usage.ts";

describe("a process's state", () => {
	test("is read past a command with brackets and spaces", () => {
		const line = "4092 (chrome (a) b) S 3891 3869 3869 0 -1 4194560 1 0 0 0 250 50 7 9 20 0 1 0 99 1 1";
		expect(parseStat(line)).toEqual({ pid: 4092, parent: 3891, cpuSeconds: 3 });
	});

	test("that is cut off is an error", () => {
		expect(() => parseStat("4092 (chrome) S 3891")).toThrow("/proc: expected a process's state, got: 4092 (chrome)");
	});
});

describe("browsers", () => {
	test("are told apart by their first process, whatever the order and depth", () => {
		const times = [
			{ pid: 12, parent: 11, cpuSeconds: 4 },
			{ pid: 10, parent: 1, cpuSeconds: 1 },
			{ pid: 11, parent: 10, cpuSeconds: 2 },
			{ pid: 20, parent: 1, cpuSeconds: 8 },
			{ pid: 21, parent: 20, cpuSeconds: 16 },
		];
		expect([...browsersAmong(times)].sort()).toEqual([
			[10, 7],
			[20, 24],
		]);
	});

	test("work what came between two looks, new ones from their beginning", () => {
		const before = new Map([
			[10, 5],
			[20, 1],
		]);
		const after = new Map([
			[10, 9],
			[30, 2],
		]);
		expect([...workBetween(before, after)]).toEqual([
			[10, 4],
			[30, 2],
		]);
	});

	test("with a broadcast are the busiest; the others stand by", () => {
		const work = new Map([
			[10, 0.1],
			[20, 4],
			[30, 5],
		]);
		expect(browsersByDuty(work, 2)).toEqual({ onAir: [30, 20], spare: [10] });
		expect(browsersByDuty(work, 3).spare).toEqual([]);
		expect(() => browsersByDuty(work, 4)).toThrow("expected a browser for each of 4 broadcasts, got 3");
	});
});
