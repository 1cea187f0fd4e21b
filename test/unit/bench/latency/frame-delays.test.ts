import { describe, expect, it } from "vitest";
import { frameDelays, unseenShare } from "../../../../bench/latency/frame-delays.ts";

function fresh(number: number, arrivedAtMs: number) {
	return { id: 1, number, frame: { arrivedAtMs, timeMs: arrivedAtMs, session: 0, key: false, codes: [] } };
}

const ALL = { fromMs: 0, toMs: Number.POSITIVE_INFINITY };

describe("frameDelays", () => {
	it("counts from the sending of the number that is shown", () => {
		const delays = frameDelays([fresh(0, 1_050), fresh(2, 1_120)], [1_000, 1_033, 1_067], ALL);
		expect(delays.map(({ number, sentAtMs, receivedAtMs }) => [number, receivedAtMs - sentAtMs])).toEqual([
			[0, 50],
			[2, 53],
		]);
	});

	it("leaves out what came before or after the window", () => {
		const delays = frameDelays([fresh(0, 99), fresh(1, 100), fresh(2, 200), fresh(3, 201)], [0, 0, 0, 0], {
			fromMs: 100,
			toMs: 200,
		});
		expect(delays.map(({ number }) => number)).toEqual([1, 2]);
	});

	it.each([
		["was never sent", fresh(7, 1_050)],
		["was sent later", fresh(0, 999)],
	])("refuses a number that %s", (_what, frame) => {
		expect(() => frameDelays([frame], [1_000], ALL)).toThrow("latency: expected a picture that had been sent");
	});
});

describe("unseenShare", () => {
	it("is the part of the numbers between first and last that are missing", () => {
		expect(unseenShare([{ number: 10 }, { number: 11 }, { number: 13 }, { number: 14 }])).toBeCloseTo(0.2);
	});

	it("is nothing where all were seen, and all where none was", () => {
		expect(unseenShare([{ number: 3 }, { number: 4 }])).toBe(0);
		expect(unseenShare([])).toBe(1);
	});
});
