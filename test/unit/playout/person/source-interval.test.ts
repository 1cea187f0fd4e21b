import { describe, expect, test } from "vitest";
import { SourceInterval } from "../../../../playout/person/source-interval.ts";

function intervalAfter(timesMs: readonly number[]): SourceInterval {
	const interval = new SourceInterval();
	for (const ms of timesMs) {
		interval.add(ms * 1_000);
	}
	return interval;
}

const steady = (count: number, stepMs: number, fromMs = 0) =>
	Array.from({ length: count }, (_, index) => fromMs + index * stepMs);

describe("SourceInterval", () => {
	test("says nothing before there are nine steps", () => {
		expect(intervalAfter(steady(9, 40)).us).toBeUndefined();
		expect(intervalAfter(steady(10, 40)).us).toBe(40_000);
	});

	test("is not misled by a picture left out, a doubled one, a gap or a step back", () => {
		const before = steady(10, 40);
		expect(intervalAfter([...before, 440, 480, 520, 560]).us).toBe(40_000);
		expect(intervalAfter([...before, 360, 400]).us).toBe(40_000);
		expect(intervalAfter([...before, 5_000, 5_040]).us).toBe(40_000);
		expect(intervalAfter([...before, 0, 40, 80]).us).toBe(40_000);
	});

	test("follows a source that changes its rate, by the middle of the latest nine", () => {
		const interval = intervalAfter([...steady(30, 40), ...steady(4, 20, 1_180)]);
		expect(interval.us).toBe(40_000);
		for (let index = 0; index < 4; index += 1) {
			interval.add((1_260 + index * 20) * 1_000);
		}
		expect(interval.us).toBe(20_000);
	});

	test("has no opinion on sources under 5 pictures a second", () => {
		expect(intervalAfter(steady(100, 201)).us).toBeUndefined();
		expect(intervalAfter(steady(100, 200)).us).toBe(200_000);
	});

	test("starts over when the source does", () => {
		const interval = intervalAfter(steady(20, 40));
		interval.reset();
		expect(interval.us).toBeUndefined();
		interval.add(40_000_000);
		interval.add(40_020_000);
		expect(interval.us).toBeUndefined();
	});
});
