import { describe, expect, test } from "vitest";
import { resultMarkdown } from "../../../../bench/harness/markdown.ts";
import type { Delivery } from "../../../../bench/router/delivery.ts";
import { routerResult } from "../../../../bench/router/router-result.ts";
import { RELAYS, type RouterMeasurement, type RouterRun } from "../../../../bench/router/router-run.ts";

function delivery(worstP99Ms: number, lost = 0): Delivery {
	const rates = { messagesPerSecond: 5_000, megabitsPerSecond: 240 };
	return { ...rates, p50Ms: 1, p95Ms: 2, p99Ms: worstP99Ms, worstP99Ms, lost };
}

function runOf(given: Partial<RouterRun> = {}): RouterRun {
	return { delivery: delivery(5), cores: 0.4, memoryBytes: 100 * 2 ** 20, ...given };
}

function measurement(given: Partial<RouterMeasurement> = {}): RouterMeasurement {
	const runs = new Map([
		[RELAYS.tandem, [runOf({ highestRate: 2_000 }), runOf({ highestRate: 3_000 })]],
		[RELAYS.node, [runOf({ highestRate: 8_000 }), runOf({ highestRate: 8_000 })]],
	]);
	return {
		fanOut: [1, 5, 20].map((listeners) => ({ listeners, runs })),
		throughProgram: new Map([[RELAYS.tandem, [runOf({ destination: delivery(6) })]]]),
		withStuck: new Map([
			[RELAYS.tandem, [runOf({ skippedTags: 700 })]],
			[RELAYS.node, [runOf()]],
		]),
		...given,
	};
}

const reached = (result: ReturnType<typeof routerResult>) => result.verdicts.map((each) => each.reached);

describe("the router's result", () => {
	test("all targets are reached when everyone is served in time", () => {
		expect(reached(routerResult(measurement()))).toEqual([true, true, true]);
	});

	test("the destination counts as much as the subscribers do", () => {
		const throughProgram = new Map([[RELAYS.tandem, [runOf({ destination: delivery(21) })]]]);
		expect(reached(routerResult(measurement({ throughProgram })))).toEqual([true, false, true]);
	});

	test("what is lost is not in time", () => {
		const withStuck = new Map([[RELAYS.tandem, [runOf({ delivery: delivery(5, 0.01), skippedTags: 0 })]]]);
		expect(reached(routerResult(measurement({ withStuck })))).toEqual([true, true, false]);
	});

	test("shows every relay at every number of listeners", () => {
		const machine = { date: "2026-01-02", commit: "abc", cores: 2, processor: "P", memoryGiB: 24, versions: [] };
		const text = resultMarkdown("router", routerResult(measurement()), machine);
		expect(text).toContain("| Tandem's Router | 20 | 5000 (5000–5000) | 240 (240–240) |");
		expect(text).toContain("| Tandem's Router | 2500 (2000–3000) | 2500 (2000–3000) | 2500 (2000–3000) |");
		expect(text).toContain("| 700 tags (700–700) |");
	});

	test("a run that never looked for the highest rate must not pass for one", () => {
		const runs = new Map([[RELAYS.tandem, [runOf()]]]);
		expect(() => routerResult(measurement({ fanOut: [{ listeners: 5, runs }] }))).toThrow("got NaN");
	});
});
