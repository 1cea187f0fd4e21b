import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { retryDelayMs } from "../../../media/retry-delay.ts";

const POLICY = { firstMs: 200, capMs: 5_000 };
const ALMOST_ONE = 1 - 2 ** -53;

describe("retryDelayMs", () => {
	test.each([
		[0, 200],
		[1, 400],
		[2, 800],
		[4, 3_200],
		[5, 5_000],
		[1_000, 5_000],
		[Number.MAX_SAFE_INTEGER, 5_000],
	])("waits for attempt %i at most %i ms and at least half of it", (attempt, longestMs) => {
		expect(retryDelayMs(POLICY, attempt, 0)).toBe(longestMs / 2);
		expect(retryDelayMs(POLICY, attempt, ALMOST_ONE)).toBeCloseTo(longestMs, 6);
	});

	test("is never zero, never above the cap, and spreads clients over the upper half", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 10_000 }),
				fc.integer({ min: 1, max: 100_000 }),
				fc.nat(100),
				fc.double({ min: 0, max: ALMOST_ONE, noNaN: true }),
				(firstMs, capMs, attempt, random) => {
					const delayMs = retryDelayMs({ firstMs, capMs }, attempt, random);
					expect(delayMs).toBeGreaterThan(0);
					expect(delayMs).toBeLessThanOrEqual(capMs);
				},
			),
		);
	});
});
