import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OutputClock } from "../../../../compositor-page/program/output-clock.ts";

const START_US = 1_234_567;

describe("OutputClock", () => {
	test("makes frame n due at start + n / rate, after hours as at the start", () => {
		const clock = new OutputClock({ frameRate: 30, startUs: START_US });
		expect(clock.programUs(0)).toBe(0);
		expect(clock.dueUs(0)).toBe(START_US);
		expect(clock.programUs(1)).toBe(33_333);
		expect(clock.programUs(2)).toBe(66_667);
		expect(clock.programUs(30)).toBe(1_000_000);
		expect(clock.programUs(30 * 3_600 * 8)).toBe(8 * 3_600e6);
	});

	test("gives each frame once, when it is due, however late it is asked", () => {
		const clock = new OutputClock({ frameRate: 30, startUs: START_US });
		expect(clock.take(START_US - 1)).toBeUndefined();
		expect(clock.waitUs(START_US - 1)).toBe(1);
		expect(clock.take(START_US)).toEqual({ index: 0, dueUs: START_US, skipped: 0 });
		expect(clock.take(START_US)).toBeUndefined();
		// 20 ms late: the next is still due on the grid, not 33 ms after this call.
		expect(clock.take(START_US + 53_333)).toEqual({ index: 1, dueUs: START_US + 33_333, skipped: 0 });
		expect(clock.waitUs(START_US + 53_333)).toBe(66_667 - 53_333);
	});

	test("catches up one after the other when up to six frames behind", () => {
		const clock = new OutputClock({ frameRate: 30, startUs: 0 });
		clock.take(0);
		const nowUs = 233_333; // frame 7, six after the next
		const taken = Array.from({ length: 8 }, () => clock.take(nowUs));
		expect(taken.map((tick) => tick?.index)).toEqual([1, 2, 3, 4, 5, 6, 7, undefined]);
		expect(taken.every((tick) => tick === undefined || tick.skipped === 0)).toBe(true);
	});

	test("skips to now when further behind, and says by how much", () => {
		const clock = new OutputClock({ frameRate: 30, startUs: 0 });
		clock.take(0);
		expect(clock.take(1_000_000)).toEqual({ index: 30, dueUs: 1_000_000, skipped: 29 });
		expect(clock.take(1_000_000)).toBeUndefined();
		expect(clock.take(1_033_333)).toEqual({ index: 31, dueUs: 1_033_333, skipped: 0 });
	});

	test("loses and doubles no frame number at any rate and any pace of asking", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 120 }),
				fc.array(fc.integer({ min: 0, max: 500_000 }), { minLength: 1, maxLength: 60 }),
				(frameRate, waitsUs) => {
					const clock = new OutputClock({ frameRate, startUs: START_US });
					let nowUs = START_US;
					let next = 0;
					for (const waitUs of waitsUs) {
						nowUs += waitUs;
						for (let tick = clock.take(nowUs); tick !== undefined; tick = clock.take(nowUs)) {
							expect(tick.index - tick.skipped).toBe(next);
							expect(tick.dueUs).toBeLessThanOrEqual(nowUs + 1);
							expect(tick.dueUs).toBe(START_US + Math.round((tick.index * 1e6) / frameRate));
							next = tick.index + 1;
						}
						expect(clock.waitUs(nowUs)).toBeGreaterThan(0);
						expect(clock.waitUs(nowUs)).toBeLessThanOrEqual(Math.ceil(1e6 / frameRate));
					}
				},
			),
		);
	});
});
