import { describe, expect, it } from "vitest";
import { ArrivalHistogram } from "../../../../playout/jitter/arrival-histogram.ts";

describe("ArrivalHistogram", () => {
	it("has no answer before the third delay", () => {
		const histogram = new ArrivalHistogram();
		for (const delayUs of [5_000, 7_000]) {
			histogram.add(delayUs);
			expect(histogram.quantileUs()).toBeUndefined();
		}
		histogram.add(1_000);
		expect(histogram.quantileUs()).toBe(6_000);
	});

	it("is not moved by one outlier however young it is, but by a second", () => {
		for (let calm = 2; calm < 60; calm += 1) {
			const histogram = new ArrivalHistogram();
			for (let index = 0; index < calm; index += 1) {
				histogram.add(1_000);
			}
			histogram.add(300_000);
			expect(histogram.quantileUs()).toBe(2_000);
			histogram.add(300_000);
			expect(histogram.quantileUs()).toBe(302_000);
		}
	});

	it("covers the wanted share of the delays, rounded up to 2 ms", () => {
		const histogram = new ArrivalHistogram({ quantile: 0.9, forgetFactor: 0.9999 });
		for (let delayMs = 0; delayMs < 100; delayMs += 1) {
			histogram.add(delayMs * 1_000);
		}
		expect(histogram.quantileUs()).toBe(90_000);
	});

	it("is not moved by one outlier in a long calm, but by repeated ones", () => {
		const histogram = new ArrivalHistogram();
		for (let index = 0; index < 200; index += 1) {
			histogram.add(1_000);
		}
		histogram.add(300_000);
		expect(histogram.quantileUs()).toBe(2_000);
		histogram.add(300_000);
		expect(histogram.quantileUs()).toBe(302_000);
	});

	it("forgets: after a storm the answer comes down again", () => {
		const histogram = new ArrivalHistogram();
		for (let index = 0; index < 100; index += 1) {
			histogram.add(200_000);
		}
		for (let index = 0; index < 250; index += 1) {
			histogram.add(500);
		}
		expect(histogram.quantileUs()).toBe(2_000);
	});

	it("counts negative and endless delays as none and as the longest", () => {
		const histogram = new ArrivalHistogram();
		for (let index = 0; index < 3; index += 1) {
			histogram.add(-5_000);
		}
		expect(histogram.quantileUs()).toBe(2_000);
		histogram.add(Number.MAX_SAFE_INTEGER);
		histogram.add(Number.MAX_SAFE_INTEGER);
		expect(histogram.quantileUs()).toBe(1_000_000);
	});
});
