import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PercentileWindow } from "../../../playout/percentile-window.ts";

function windowOf(capacity: number, values: readonly number[]): PercentileWindow {
	const window = new PercentileWindow(capacity);
	for (const value of values) {
		window.add(value);
	}
	return window;
}

describe("PercentileWindow", () => {
	test("is 0 while empty", () => {
		const window = new PercentileWindow(10);
		expect(window.quantiles(0.5, 0.95)).toEqual([0, 0]);
		expect(window.mean()).toBe(0);
	});

	test("gives quantiles and mean of the latest measurements, also negative ones", () => {
		const values = Array.from({ length: 100 }, (_, index) => 99 - index);
		expect(windowOf(100, values).quantiles(0, 0.5, 0.95, 1)).toEqual([0, 50, 95, 99]);
		expect(windowOf(100, values).mean()).toBe(49.5);
		expect(windowOf(3, [1_000, -9, 7, -1]).quantiles(0, 0.5, 1)).toEqual([-9, -1, 7]);
		expect(windowOf(3, [1_000, -9, 7, -1]).mean()).toBe(-1);
	});

	test("forgets exactly what is older than its capacity", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 20 }),
				fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 60 }),
				(capacity, values) => {
					const window = windowOf(capacity, values);
					const latest = values.slice(-capacity);
					expect(window.quantiles(0, 1)).toEqual([Math.min(...latest), Math.max(...latest)]);
					expect(window.mean()).toBeCloseTo(latest.reduce((sum, value) => sum + value, 0) / latest.length, 9);
				},
			),
		);
	});
});
