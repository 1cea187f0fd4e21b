import { describe, expect, test } from "vitest";
import { type MachineSecond, type PersonSecond, RateAdviser } from "../../../../compositor-page/rate/rate-adviser.ts";
import { PERSON_IDS, type PersonId } from "../../../../worker/protocol/roles.ts";
import { type RateAdvice, rateAdviceSchema } from "../../../../worker/protocol/signaling.ts";

const GOOD: MachineSecond = { lateShare: 0, encodeQueue: 1 };
const BAD: MachineSecond = { lateShare: 0.3, encodeQueue: 1 };
const HOST: PersonSecond = { id: "host", lossRatio: 0, bitrateBps: 2e6, height: 720, frameRate: 30, placeHeight: 720 };

/** Looks once a second, and gives the last advice for each. */
function run(adviser: RateAdviser, fromS: number, seconds: number, machine: MachineSecond, people: PersonSecond[]) {
	const asked = new Map<PersonId, RateAdvice>();
	for (let second = fromS; second < fromS + seconds; second += 1) {
		for (const [id, advice] of adviser.look(machine, people, second * 1_000)) {
			expect(rateAdviceSchema.parse(advice)).toEqual(advice);
			asked.set(id, advice);
		}
	}
	return asked;
}

/** A machine whose load is what its people send it, a second after they were asked; late when that is more than it can do. */
function simulate(options: {
	readonly capacity: (second: number) => number;
	readonly seconds: number;
	readonly people?: number;
	readonly saysStep?: boolean;
}): { loads: number[]; lateSeconds: number[]; changes: number } {
	const { capacity, seconds, people: count = 1, saysStep = false } = options;
	const ids = PERSON_IDS.slice(0, count);
	const adviser = new RateAdviser();
	const sends = new Map(ids.map((id) => [id, { frameRate: 30, height: 720 }]));
	const loads: number[] = [];
	const lateSeconds: number[] = [];
	let changes = 0;
	for (let second = 0; second < seconds; second += 1) {
		const now = [...sends];
		const load =
			now.reduce((sum, [, { frameRate, height }]) => sum + (frameRate / 30) * (height / 720) ** 2, 0) / count;
		const share = load / capacity(second);
		loads.push(load);
		if (share > 1) {
			lateSeconds.push(second);
		}
		const machine = {
			lateShare: share > 1 ? 0.3 : 0,
			encodeQueue: 0,
			...(saysStep && { stepShare: Math.min(1.5, share) }),
		};
		const people = now.map(([id, send]) => ({ ...HOST, id, ...send }));
		for (const [id, advice] of adviser.look(machine, people, second * 1_000)) {
			changes += 1;
			sends.set(id, { frameRate: advice.maxFrameRate ?? 30, height: advice.maxHeight ?? 720 });
		}
	}
	return { loads, lateSeconds, changes };
}

describe("a machine that is too slow", () => {
	test("nobody is asked for anything while all is well", () => {
		expect(run(new RateAdviser(), 0, 300, GOOD, [HOST])).toEqual(new Map());
	});

	test.each([
		["leaves frames out", { lateShare: 0.1, encodeQueue: 0 }],
		["lets frames wait for the encoder", { lateShare: 0, encodeQueue: 4 }],
		["uses up its steps", { lateShare: 0, encodeQueue: 0, stepShare: 0.95 }],
	])("everybody sends fewer frames, then fewer lines, when it %s", (_, machine) => {
		const adviser = new RateAdviser();
		const guest: PersonSecond = { ...HOST, id: "guest", height: 1_080, frameRate: 60 };
		const steps: string[] = [];
		for (let second = 0; second < 60; second += 1) {
			const news = adviser.look(machine, [HOST, guest], second * 1_000);
			if (news.size > 0) {
				const text = ["host", "guest"].map((id) => {
					const { maxFrameRate, maxHeight } = news.get(id as PersonId) ?? {};
					return `${maxFrameRate}/${maxHeight ?? "all"}`;
				});
				steps.push(text.join(" "));
			}
		}
		expect(steps).toEqual(["20/all 40/all", "15/all 30/all", "15/540 30/810", "15/360 30/540"]);
		expect(adviser.adviceFor("host").reason).toContain("too slow");
	});

	test("a hiccup of a second is no overload", () => {
		const adviser = new RateAdviser();
		for (let second = 0; second < 120; second += 1) {
			expect(adviser.look(second % 3 === 0 ? BAD : GOOD, [HOST], second * 1_000).size).toBe(0);
		}
	});

	test.each([
		[0.7, 0.67],
		[0.55, 0.5],
		[0.3, 0.28],
		[0.15, 0.125],
	])("one of %f comes to rest at what it can do, with ever rarer attempts at more", (capacity, least) => {
		const { loads, lateSeconds, changes } = simulate({ capacity: () => capacity, seconds: 900, people: 2 });
		expect(loads.slice(0, 30).some((load) => load <= capacity)).toBe(true);
		expect(lateSeconds.filter((second) => second >= 60).length).toBeLessThan(40);
		expect(lateSeconds.filter((second) => second >= 600).length).toBeLessThan(16);
		expect(loads.filter((load, second) => second >= 60 && load < least - 0.02)).toEqual([]);
		expect(changes).toBeLessThan(2 * 30);
	});

	test.each([
		[0.7, 0.65],
		[0.55, 0.48],
		[0.3, 0.28],
	])("one of %f that says how full its steps are is late no more once it has come to rest", (capacity, least) => {
		const { loads, lateSeconds, changes } = simulate({ capacity: () => capacity, seconds: 900, saysStep: true });
		expect(lateSeconds.every((second) => second < 30)).toBe(true);
		expect(loads.at(-1)).toBeGreaterThanOrEqual(least - 0.26);
		expect(changes).toBeLessThan(30);
	});

	test.each([0.55, 0.15])("all comes back within 30 s when one of %f is well again", (capacity) => {
		const { loads } = simulate({ capacity: (second) => (second < 25 ? capacity : 2), seconds: 60 });
		expect(loads[24]).toBeLessThan(0.6);
		const backAfterS = loads.slice(25).indexOf(1);
		expect(backAfterS).toBeGreaterThan(0);
		expect(backAfterS).toBeLessThanOrEqual(30);
		expect(loads.at(-1)).toBe(1);
	});

	test("shares are of what a sender sends by itself, whatever a stall or a start in small made of a second", () => {
		const adviser = new RateAdviser();
		run(adviser, 0, 5, GOOD, [{ ...HOST, height: 180, frameRate: 12 }]);
		run(adviser, 5, 20, GOOD, [{ ...HOST, frameRate: 29.4 }]);
		run(adviser, 25, 1, GOOD, [{ ...HOST, frameRate: 3 }]);
		run(adviser, 26, 1, GOOD, [{ ...HOST, frameRate: 57 }]);
		expect(run(adviser, 27, 5, BAD, [HOST]).get("host")?.maxFrameRate).toBe(20);
		expect(run(adviser, 32, 30, BAD, [{ ...HOST, frameRate: 15 }]).get("host")).toMatchObject({
			maxFrameRate: 15,
			maxHeight: 360,
		});
	});

	test("all stays lowered while there is no room for more", () => {
		const adviser = new RateAdviser();
		run(adviser, 0, 5, { ...GOOD, stepShare: 0.95 }, [HOST]);
		expect(run(adviser, 5, 300, { ...GOOD, stepShare: 0.7 }, [HOST])).toEqual(new Map());
		expect(run(adviser, 305, 10, { ...GOOD, stepShare: 0.4 }, [HOST]).get("host")).toEqual({});
	});

	test("who comes while it is too slow is asked for as little as the others, before their first picture", () => {
		const adviser = new RateAdviser();
		run(adviser, 0, 60, BAD, [HOST]);
		const guest: PersonSecond = { id: "guest", height: 0, frameRate: 0, placeHeight: 720 };
		expect(run(adviser, 60, 1, BAD, [HOST, guest]).get("guest")).toMatchObject({ maxFrameRate: 15, maxHeight: 360 });
	});

	test("a camera of fewer lines is what shares are of from then on", () => {
		const adviser = new RateAdviser();
		run(adviser, 0, 20, GOOD, [HOST]);
		run(adviser, 20, 20, GOOD, [{ ...HOST, height: 480 }]);
		expect(run(adviser, 40, 60, BAD, [{ ...HOST, height: 480 }]).get("host")?.maxHeight).toBe(240);
	});
});

describe("a line that loses packets", () => {
	/** Whoever sends more than the line carries loses the rest, as a sender without a congestion control of its own. */
	function line(options: {
		readonly capacityBps: (second: number) => number;
		readonly lossRatio?: (second: number) => number;
		readonly seconds: number;
	}) {
		const adviser = new RateAdviser();
		const rates: number[] = [];
		const losses: number[] = [];
		let rate = 2.5e6;
		for (let second = 0; second < options.seconds; second += 1) {
			const over = Math.max(0, 1 - options.capacityBps(second) / rate);
			const lossRatio = Math.max(over, options.lossRatio?.(second) ?? 0);
			rates.push(rate);
			losses.push(lossRatio);
			const person = { ...HOST, lossRatio, bitrateBps: Math.round(rate * (1 - lossRatio)) };
			const advice = adviser.look(GOOD, [person], second * 1_000).get("host");
			rate = advice === undefined ? rate : (advice.maxBitrateBps ?? 2.5e6);
		}
		return { rates, losses };
	}

	test.each([0.4e6, 0.9e6, 1.5e6, 2.2e6])(
		"comes to rest at what one of %d b/s carries, with ever rarer attempts at more",
		(capacity) => {
			const { rates, losses } = line({ capacityBps: () => capacity, seconds: 900 });
			expect(losses.findIndex((loss) => loss < 0.05)).toBeLessThanOrEqual(25);
			expect(losses.slice(300).filter((loss) => loss > 0.05).length).toBeLessThan(50);
			expect(rates.filter((rate, second) => second > 300 && rate !== rates[second - 1]).length).toBeLessThan(24);
			expect(Math.min(...rates.slice(60))).toBeGreaterThan(0.5 * capacity);
		},
	);

	test.each([0.1, 0.6])("is given back all of it within 30 s after ten seconds of %f lost", (loss) => {
		const { rates } = line({
			capacityBps: () => 1e9,
			lossRatio: (second) => (second >= 10 && second < 20 ? loss : 0),
			seconds: 60,
		});
		expect(Math.min(...rates)).toBeLessThan(1.8e6);
		expect(rates.slice(20).indexOf(2.5e6)).toBeLessThanOrEqual(30);
		expect(rates.at(-1)).toBe(2.5e6);
	});

	test("what is lost whatever is sent takes no more than two steps", () => {
		const { rates } = line({ capacityBps: () => 1e9, lossRatio: () => 0.1, seconds: 300 });
		expect(Math.min(...rates)).toBeGreaterThan(0.9e6);
	});

	test("of which so much is lost that no picture arrives, the sender sends the least there is", () => {
		const { rates } = line({ capacityBps: () => 1e9, lossRatio: () => 0.3, seconds: 120 });
		expect(rates.at(-1)).toBe(200_000);
	});

	test("lowers the sender's bitrate and nobody else's, says why, and gives it back", () => {
		const adviser = new RateAdviser();
		const guest: PersonSecond = { ...HOST, id: "guest" };
		const asked = run(adviser, 0, 10, GOOD, [HOST, { ...guest, lossRatio: 0.2 }]);
		expect([...asked.keys()]).toEqual(["guest"]);
		expect(asked.get("guest")?.maxBitrateBps).toBeLessThan(1.5e6);
		expect(asked.get("guest")?.reason).toContain("packets are lost");
		expect(run(adviser, 10, 40, GOOD, [HOST, guest]).get("guest")).toEqual({});
	});

	test("a loss of a second or two is nothing, nor that of a line without a picture", () => {
		const adviser = new RateAdviser();
		for (let second = 0; second < 60; second += 1) {
			const lossRatio = second % 5 < 2 ? 0.3 : 0;
			expect(adviser.look(GOOD, [{ ...HOST, lossRatio }], second * 1_000).size).toBe(0);
		}
		expect(run(adviser, 60, 60, GOOD, [{ ...HOST, lossRatio: 0.3, bitrateBps: 40_000 }])).toEqual(new Map());
	});

	test("is no matter of who comes by another leg", () => {
		const adviser = new RateAdviser();
		run(adviser, 0, 10, GOOD, [{ ...HOST, lossRatio: 0.3 }]);
		const { lossRatio: _, ...byStream } = HOST;
		expect(run(adviser, 10, 1, GOOD, [byStream]).get("host")).toEqual({});
	});
});

describe("a small place", () => {
	const lines = (adviser: RateAdviser, fromS: number, seconds: number, person: Partial<PersonSecond>) =>
		run(adviser, fromS, seconds, GOOD, [{ ...HOST, ...person }]).get("host");

	test("needs few lines with room to grow, which are asked for when it has been small for a while", () => {
		const adviser = new RateAdviser();
		expect(lines(adviser, 0, 10, {})).toBeUndefined();
		expect(lines(adviser, 10, 5, { placeHeight: 180 })).toBeUndefined();
		expect(lines(adviser, 15, 2, { placeHeight: 180 })).toEqual({ maxHeight: 270 });
	});

	test("that grows is given more at once, one that comes and goes nothing, and one that changes a little neither", () => {
		const adviser = new RateAdviser();
		lines(adviser, 0, 10, { placeHeight: 180 });
		expect(lines(adviser, 10, 1, { height: 270, placeHeight: 200 })).toEqual({ maxHeight: 360 });
		expect(lines(adviser, 11, 1, { height: 360, placeHeight: 720 })).toEqual({});
		for (let second = 12; second < 60; second += 1) {
			expect(lines(adviser, second, 1, { placeHeight: second % 4 === 0 ? 720 : 180 })).toBeUndefined();
		}
		lines(adviser, 60, 10, { placeHeight: 180 });
		expect(lines(adviser, 70, 30, { height: 270, placeHeight: 170 })).toBeUndefined();
	});

	test("asks nothing of who sends no more than that, or has no place", () => {
		expect(lines(new RateAdviser(), 0, 30, { height: 240, placeHeight: 180 })).toBeUndefined();
		expect(lines(new RateAdviser(), 0, 30, { placeHeight: 0 })).toBeUndefined();
	});

	test("that a tall picture fills by its width needs the lines of the whole picture", () => {
		const tall = { width: 720, height: 1_280, placeWidth: 320, placeHeight: 180 };
		expect(lines(new RateAdviser(), 0, 30, tall)).toEqual({ maxHeight: 1_080 });
		expect(lines(new RateAdviser(), 0, 30, { ...tall, width: 1_280, height: 720 })).toEqual({ maxHeight: 270 });
	});

	test("takes the lesser of what place and machine ask for", () => {
		const adviser = new RateAdviser();
		run(adviser, 0, 60, BAD, [{ ...HOST, placeHeight: 180 }]);
		expect(adviser.adviceFor("host")).toMatchObject({ maxHeight: 270, maxFrameRate: 15 });
	});
});

test("who has left is forgotten, and begins anew", () => {
	const adviser = new RateAdviser();
	run(adviser, 0, 10, GOOD, [{ ...HOST, lossRatio: 0.3 }]);
	run(adviser, 10, 1, GOOD, []);
	expect(adviser.adviceFor("host")).toEqual({});
	expect(run(adviser, 11, 3, GOOD, [{ ...HOST, lossRatio: 0.3 }])).toEqual(new Map());
});
