import { describe, expect, test } from "vitest";
import { iterationsFor } from "../../../../bench/micro/measure-allocations.ts";
import { measureUs } from "../../../../bench/micro/measure-time.ts";
import { inTurn, type MicroTime } from "../../../../bench/micro/micro-case.ts";
import { microTable } from "../../../../bench/micro/micro-table.ts";
import { NODE_CASES } from "../../../../bench/micro/node-cases.ts";
import { piecesAcross } from "../../../../bench/micro/samples.ts";

describe("measuring time", () => {
	test("is the time of one iteration, whatever the warming up took", () => {
		let nowMs = 0;
		const run = (iterations: number) => {
			nowMs += iterations * 0.004;
		};
		expect(measureUs({ run }, () => nowMs)).toBeCloseTo(4);
	});

	test("a stretch in which the machine did something else does not count", () => {
		let nowMs = 0;
		let calls = 0;
		const run = (iterations: number) => {
			calls += 1;
			nowMs += iterations * 0.004 + (calls % 4 === 0 ? 500 : 0);
		};
		expect(measureUs({ run }, () => nowMs)).toBeCloseTo(4);
	});
});

test("allocations are counted over fewer iterations the more each allocates, and over one at least", () => {
	expect([0, 1_024, 1e9].map(iterationsFor)).toEqual([200_000, 16_384, 1]);
});

test("a stage that has had all items gives way to a new one", () => {
	const taken: string[] = [];
	let stages = 0;
	const run = inTurn(["a", "b"], () => {
		const stage = ++stages;
		return (item) => taken.push(`${stage}${item}`);
	});
	run(3);
	run(2);
	expect(taken).toEqual(["1a", "1b", "2a", "2b", "3a"]);
});

test("pieces hold all bytes but the last half message, and no message whole", () => {
	const pieces = piecesAcross([Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5, 6), Uint8Array.of(7, 8, 9)]);
	expect(pieces.map((piece) => [...piece])).toEqual([
		[1, 2],
		[3, 4, 5],
		[6, 7],
	]);
});

describe("the cases", () => {
	test.each(NODE_CASES)("$name goes on and on", ({ run }) => {
		for (let times = 0; times < 3; times += 1) {
			run(1_000);
		}
	});

	test("have names of their own", () => {
		expect(new Set(NODE_CASES.map(({ name }) => name)).size).toBe(NODE_CASES.length);
	});
});

describe("the table", () => {
	const time = (us: number): MicroTime => ({ name: "read", unit: "tag", us, bytes: 1_000, allocatedBytes: 64 });

	test("shows the median of the runs and the rates that follow from it", () => {
		expect(microTable("T", [[time(4)], [time(2)], [time(3)]]).rows).toEqual([
			[
				"read",
				"tag",
				{ value: { median: 3, min: 2, max: 4, runs: 3 }, unit: "µs", digits: 2 },
				{ value: 1_000_000 / 3, digits: 0 },
				{ value: 1_000 / 3, digits: 0 },
				{ value: { median: 64, min: 64, max: 64, runs: 3 }, unit: "B", digits: 0 },
			],
		]);
	});

	test("a run without a case is not passed over", () => {
		expect(() => microTable("T", [[time(4)], []])).toThrow("expected every run to measure read");
	});
});
