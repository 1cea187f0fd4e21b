import { describe, expect, test } from "vitest";
import { KeyFrameOrder } from "../../../../compositor-page/program/key-frame-order.ts";

const SECOND_US = 1_000_000;
const at = (hostMs: number) => ({ hostMs, isNew: true });

function ordered(afterHostMs: number): KeyFrameOrder {
	const order = new KeyFrameOrder();
	order.ask({ type: "key-frame", afterHostMs }, 0);
	return order;
}

describe("KeyFrameOrder", () => {
	test("is the first output frame whose host picture is later than asked, and only that", () => {
		const order = ordered(1_000);
		expect([966, 1_000, 1_033, 1_066].map((hostMs) => order.take(at(hostMs), 0))).toEqual([false, false, true, false]);
	});

	test("compares across the wrap at 2^32", () => {
		expect([0xffff_ffe0, 0xffff_fff0, 4].map((hostMs) => ordered(0xffff_fff0).take(at(hostMs), 0))).toEqual([
			false,
			false,
			true,
		]);
		expect(ordered(10).take(at(0xffff_fff0), 0)).toBe(false);
	});

	test("is the next output frame where no time is given, or no picture of the host's is shown", () => {
		const order = new KeyFrameOrder();
		expect(order.take(at(5), 0)).toBe(false);
		order.ask({ type: "key-frame" }, 0);
		expect(order.take(at(5), 0)).toBe(true);
		expect(order.take(at(6), 0)).toBe(false);
		expect(ordered(1_000).take(undefined, 0)).toBe(true);
	});

	test("comes after a second at the latest", () => {
		const order = ordered(1_000);
		expect(order.take(at(900), SECOND_US - 1)).toBe(false);
		expect(order.take(at(900), SECOND_US)).toBe(true);
		expect(order.take(at(900), 2 * SECOND_US)).toBe(false);
	});

	test("is replaced by a newer one, with its own second", () => {
		const order = ordered(1_000);
		order.ask({ type: "key-frame", afterHostMs: 2_000 }, SECOND_US / 2);
		expect(order.take(at(1_500), SECOND_US)).toBe(false);
		expect(order.take(at(2_001), SECOND_US)).toBe(true);
	});
});
