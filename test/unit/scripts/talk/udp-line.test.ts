import { expect, test } from "vitest";
import { FAIR, seededRandom, UdpLine } from "../../../../scripts/talk/udp-line.ts";

const COUNT = 10_000;

function delays(weather: Partial<typeof FAIR> & { rateBps?: number }, bytes = 1_200, everyMs = 1) {
	const line = new UdpLine(seededRandom(7));
	line.set({ ...FAIR, ...weather });
	return Array.from({ length: COUNT }, (_, index) => line.delayOf(bytes, index * everyMs));
}

test("a fair line delivers everything at once", () => {
	expect(delays({}).every((delay) => delay === 0)).toBe(true);
});

test("loses the share it is to lose, by chance and the same with the same seed", () => {
	const lost = delays({ loss: 0.1 }).filter((delay) => delay === undefined).length;
	expect(lost / COUNT).toBeCloseTo(0.1, 1);
	expect(delays({ loss: 0.1 })).toEqual(delays({ loss: 0.1 }));
});

test("delays, and jitters on top of it", () => {
	const all = delays({ delayMs: 20, jitterMs: 50 }).filter((delay) => delay !== undefined);
	expect(Math.min(...all)).toBeGreaterThanOrEqual(20);
	expect(Math.max(...all)).toBeLessThanOrEqual(70);
	expect(Math.max(...all) - Math.min(...all)).toBeGreaterThan(45);
});

test("takes no more than its rate, keeps a little waiting and loses the rest", () => {
	// 9.6 Mb/s into 960 kb/s: a tenth gets through.
	const all = delays({ rateBps: 960_000 });
	const arrived = all.filter((delay) => delay !== undefined);
	expect(arrived.length / COUNT).toBeCloseTo(0.1, 1);
	expect(Math.max(...arrived)).toBeLessThan(330);
});

test("is a hole when it is to be one", () => {
	expect(delays({ blackhole: true }).every((delay) => delay === undefined)).toBe(true);
});
