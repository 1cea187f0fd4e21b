import { expect, test } from "vitest";
import { highestHeld, nextRate, RATES, type Tried } from "../../../../bench/router/rate-ladder.ts";

/** Climbs with a relay that holds up to `mostPerSecond`, and fails the first time at each rate in `hiccups`. */
function climb(mostPerSecond: number, hiccups: readonly number[] = []): { readonly rates: number[]; highest: number } {
	const tried: Tried[] = [];
	for (let rate = nextRate(tried, 1_000); rate !== undefined; rate = nextRate(tried, 1_000)) {
		const isHiccup = hiccups.includes(rate) && tried.every(({ perSecond }) => perSecond !== rate);
		tried.push({ perSecond: rate, held: rate <= mostPerSecond && !isHiccup });
	}
	return { rates: tried.map(({ perSecond }) => perSecond), highest: highestHeld(tried) };
}

test("goes up until a rate has failed twice", () => {
	expect(climb(2_000)).toEqual({ rates: [1_000, 1_500, 2_000, 3_000, 3_000], highest: 2_000 });
});

test("goes down from a rate that fails until one holds", () => {
	expect(climb(500)).toEqual({ rates: [1_000, 1_000, 750, 750, 500], highest: 500 });
});

test("a rate that failed once counts when it holds the second time", () => {
	expect(climb(1_500, [1_000, 1_500])).toEqual({
		rates: [1_000, 1_000, 1_500, 1_500, 2_000, 2_000],
		highest: 1_500,
	});
});

test("ends at both ends of the ladder", () => {
	expect(climb(Number.POSITIVE_INFINITY).highest).toBe(RATES.at(-1));
	expect(climb(0)).toMatchObject({ highest: 0 });
});
