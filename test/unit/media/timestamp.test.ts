import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TimestampUnwrapper, wrapMs } from "../../../media/timestamp.ts";

const WRAP_MS = 2 ** 32;

test.each([
	[0, 0],
	[WRAP_MS - 1, WRAP_MS - 1],
	[WRAP_MS, 0],
	[WRAP_MS + 5, 5],
	[3 * WRAP_MS + 5, 5],
	[-1, WRAP_MS - 1],
	[-WRAP_MS, 0],
])("%d ms goes on the wire as %d", (ms, wire) => {
	expect(Object.is(wrapMs(ms), wire)).toBe(true); // not −0, which would be another number to a test for equality
});

describe("TimestampUnwrapper", () => {
	test("goes on rising across 2^32", () => {
		const unwrapper = new TimestampUnwrapper();
		const times = [WRAP_MS - 20, WRAP_MS - 1, 19, 39].map((ms) => unwrapper.unwrapMs(ms));
		expect(times).toEqual([WRAP_MS - 20, WRAP_MS - 1, WRAP_MS + 19, WRAP_MS + 39]);
	});

	test("takes a late frame back across 2^32", () => {
		const unwrapper = new TimestampUnwrapper();
		const times = [WRAP_MS - 5, 5, WRAP_MS - 3, 10].map((ms) => unwrapper.unwrapMs(ms));
		expect(times).toEqual([WRAP_MS - 5, WRAP_MS + 5, WRAP_MS - 3, WRAP_MS + 10]);
	});

	test("goes below zero when a stream that began at 0 steps back", () => {
		const unwrapper = new TimestampUnwrapper();
		expect([0, WRAP_MS - 40, 20].map((ms) => unwrapper.unwrapMs(ms))).toEqual([0, -40, 20]);
	});

	test("takes no step at 2^24 and 2^31", () => {
		const unwrapper = new TimestampUnwrapper();
		const times = [2 ** 24 - 1, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1];
		expect(times.map((ms) => unwrapper.unwrapMs(ms))).toEqual(times);
	});

	test("gives back any time line of steps shorter than 2^31 ms, in either direction", () => {
		const step = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
		fc.assert(
			fc.property(fc.integer({ min: 0, max: WRAP_MS - 1 }), fc.array(step, { maxLength: 50 }), (first, steps) => {
				const unwrapper = new TimestampUnwrapper();
				let time = first;
				expect(unwrapper.unwrapMs(first)).toBe(first);
				for (const stepMs of steps) {
					time += stepMs;
					expect(unwrapper.unwrapMs(wrapMs(time))).toBe(time);
				}
			}),
		);
	});
});
