import { expect, test } from "vitest";
import {
	SIGNAL_BURST,
	SIGNAL_BURST_BYTES,
	SIGNAL_BYTES_PER_S,
	SIGNALS_PER_S,
	SignalBudget,
} from "../../../worker/broadcast/signal-budget.ts";

/** How many of them are let by, one right after the other. */
function taken(budget: SignalBudget, bytes: number, nowMs: number, tries = 2 * SIGNAL_BURST): number {
	return Array.from({ length: tries }, () => budget.take(bytes, nowMs)).filter((answer) => answer === "ok").length;
}

test("lets so many messages by at once, and so many a second from then on", () => {
	const budget = new SignalBudget(0);
	expect(taken(budget, 1, 0)).toBe(SIGNAL_BURST);
	expect(taken(budget, 1, 1_000)).toBe(SIGNALS_PER_S);
	expect(taken(budget, 1, 3_600_000)).toBe(SIGNAL_BURST);
});

test("counts bytes as well", () => {
	const budget = new SignalBudget(0);
	const large = SIGNAL_BURST_BYTES / 32;
	expect(taken(budget, large, 0)).toBe(32);
	expect(budget.take(SIGNAL_BYTES_PER_S, 999)).not.toBe("ok");
	expect(budget.take(SIGNAL_BYTES_PER_S, 1_000)).toBe("ok");
});

test("complains once until it is in order again", () => {
	const budget = new SignalBudget(0);
	taken(budget, 1, 0, SIGNAL_BURST);
	expect([budget.take(1, 0), budget.take(1, 0), budget.take(1, 1)]).toEqual(["over", "still-over", "still-over"]);
	expect(budget.take(1, 1_000)).toBe("ok");
	taken(budget, 1, 1_000, SIGNALS_PER_S - 1);
	expect(budget.take(1, 1_000)).toBe("over");
});

test("a clock that goes back gives nothing and takes nothing", () => {
	const budget = new SignalBudget(10_000);
	taken(budget, 1, 10_000, SIGNAL_BURST);
	expect(budget.take(1, 0)).toBe("over");
	expect(budget.take(1, 500)).toBe("ok");
});
