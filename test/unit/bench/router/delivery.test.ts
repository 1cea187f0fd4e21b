import { describe, expect, test } from "vitest";
import { deliveryOf, nearestRank } from "../../../../bench/router/delivery.ts";

const WINDOW = { fromMs: 5_000, untilMs: 7_000 };

function heard(id: string, delaysMs: readonly number[], bytesEach = 1_000) {
	return { id, delaysMs: Float64Array.from(delaysMs), bytes: delaysMs.length * bytesEach };
}

describe("delivery", () => {
	test("rates are of all listeners together, by the length of the window", () => {
		const delivery = deliveryOf([heard("a", [1, 2, 3, 4]), heard("b", [1, 2, 3, 4])], 4, WINDOW);
		expect(delivery.messagesPerSecond).toBe(4);
		expect(delivery.megabitsPerSecond).toBeCloseTo(0.032);
		expect(delivery.lost).toBe(0);
	});

	test("delays are of all messages, and the worst listener's are told apart", () => {
		const quick = Array.from({ length: 100 }, () => 1);
		const slow = [...quick.slice(2), 50, 60];
		const delivery = deliveryOf([heard("quick", quick), heard("slow", slow)], 100, WINDOW);
		expect(delivery).toMatchObject({ p50Ms: 1, p95Ms: 1, p99Ms: 1, worstP99Ms: 50 });
	});

	test("lost is what the listener who got least did not get, in whatever order things came", () => {
		expect(deliveryOf([heard("a", [3, 1, 2, 9]), heard("b", [7])], 4, WINDOW)).toMatchObject({ lost: 0.75, p50Ms: 3 });
	});

	test("a run in which somebody heard nothing is no run", () => {
		expect(() => deliveryOf([heard("a", [1]), heard("b", [])], 1, WINDOW)).toThrow("one heard 0");
		expect(() => deliveryOf([], 1, WINDOW)).toThrow("got 0");
		expect(() => deliveryOf([heard("a", [1])], 0, WINDOW)).toThrow("expected listeners that hear something");
	});

	test("a rank is a value that was measured", () => {
		const sorted = Float64Array.from([1, 2, 3, 4]);
		expect([0, 0.25, 0.5, 0.51, 1].map((share) => nearestRank(sorted, share))).toEqual([1, 1, 2, 3, 4]);
		expect(nearestRank(new Float64Array(0), 0.5)).toBeNaN();
	});
});
