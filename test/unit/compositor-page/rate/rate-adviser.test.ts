import { describe, expect, test } from "vitest";
import { type PersonSecond, RateAdviser } from "../../../../compositor-page/rate/rate-adviser.ts";
import type { RateAdvice } from "../../../../worker/protocol/signaling.ts";

const GOOD = { lateShare: 0, encodeQueue: 1 };
const HOST: PersonSecond = { id: "host", lossRatio: 0, bitrateBps: 2e6, height: 720, frameRate: 30, placeHeight: 720 };

/** A machine whose load is what its people send it, and which is late when that is more than it can do. */
function simulate(capacity: (second: number) => number, seconds: number): { loads: number[]; changes: number } {
	const adviser = new RateAdviser();
	let advice: RateAdvice = {};
	let changes = 0;
	const loads: number[] = [];
	for (let second = 0; second < seconds; second += 1) {
		const frameRate = Math.min(30, advice.maxFrameRate ?? 30);
		const height = Math.min(720, advice.maxHeight ?? 720);
		const load = (frameRate / 30) * (height / 720) ** 2;
		loads.push(load);
		const machine = { lateShare: load > capacity(second) ? 0.3 : 0, encodeQueue: 0 };
		const next = adviser.look(machine, [{ ...HOST, frameRate, height }], second * 1_000).get("host");
		changes += next === undefined ? 0 : 1;
		advice = next ?? advice;
	}
	return { loads, changes };
}

describe("RateAdviser", () => {
	test("asks nothing of anyone while all is well", () => {
		const adviser = new RateAdviser();
		for (let second = 0; second < 300; second += 1) {
			expect(adviser.look(GOOD, [HOST], second * 1_000).size).toBe(0);
		}
	});

	test.each([
		[0.7, 0.67],
		[0.55, 0.5],
		[0.3, 0.29],
	])("comes down to what a machine of %f can do, and stays there but for ever rarer attempts", (capacity, least) => {
		const { loads, changes } = simulate(() => capacity, 600);
		expect(loads.slice(0, 30).some((load) => load <= capacity)).toBe(true);
		const kept = loads.slice(60).filter((load) => load <= capacity).length / (loads.length - 60);
		expect(kept).toBeGreaterThan(0.85);
		expect(Math.max(...loads.slice(60).filter((load) => load <= capacity))).toBeGreaterThanOrEqual(least - 0.02);
		expect(changes).toBeLessThan(40);
	});

	test("comes back within 30 s of the machine's being well again", () => {
		const { loads } = simulate((second) => (second < 20 ? 0.55 : 2), 60);
		expect(loads[19]).toBeLessThan(0.6);
		expect(loads[50]).toBe(1);
	});

	test("lowers the bitrate of who loses packets, of nobody else, and gives it back", () => {
		const adviser = new RateAdviser();
		const guest: PersonSecond = { ...HOST, id: "guest" };
		let asked: RateAdvice | undefined;
		for (let second = 0; second < 10; second += 1) {
			const news = adviser.look(GOOD, [HOST, { ...guest, lossRatio: 0.2 }], second * 1_000);
			expect(news.has("host")).toBe(false);
			asked = news.get("guest") ?? asked;
		}
		expect(asked?.maxBitrateBps).toBeLessThan(1.5e6);
		expect(asked?.reason).toContain("packets are lost");
		for (let second = 10; second < 80; second += 1) {
			asked = adviser.look(GOOD, [HOST, guest], second * 1_000).get("guest") ?? asked;
		}
		expect(asked).toEqual({});
	});

	test("a loss of a second or two is nothing", () => {
		const adviser = new RateAdviser();
		for (let second = 0; second < 60; second += 1) {
			const lossRatio = second % 5 < 2 ? 0.3 : 0;
			expect(adviser.look(GOOD, [{ ...HOST, lossRatio }], second * 1_000).size).toBe(0);
		}
	});

	test("asks for no more lines than a place needs, with room to grow, and for all again when it grows", () => {
		const adviser = new RateAdviser();
		expect(adviser.look(GOOD, [{ ...HOST, placeHeight: 180 }], 0).get("host")).toEqual({ maxHeight: 270 });
		expect(adviser.look(GOOD, [{ ...HOST, height: 270, placeHeight: 200 }], 1_000).get("host")).toEqual({
			maxHeight: 360,
		});
		expect(adviser.look(GOOD, [{ ...HOST, height: 360, placeHeight: 720 }], 2_000).get("host")).toEqual({});
	});
});
