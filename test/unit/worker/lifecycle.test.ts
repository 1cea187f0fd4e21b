import { expect, test } from "vitest";
import { type LifecycleCommand, statusAfter } from "../../../worker/broadcast/lifecycle.ts";

const table: [status: "lobby" | "live" | "ended", command: LifecycleCommand, expected: string][] = [
	["lobby", "start", "live"],
	["live", "start", "live"],
	["ended", "start", "broadcast-ended"],
	["lobby", "end", "ended"],
	["live", "end", "ended"],
	["ended", "end", "ended"],
	["lobby", "change", "lobby"],
	["live", "change", "live"],
	["ended", "change", "broadcast-ended"],
	["lobby", "delete", "lobby"],
	["live", "delete", "already-live"],
	["ended", "delete", "ended"],
];

for (const [status, command, expected] of table) {
	test(`${command} of a broadcast that is ${status}: ${expected}`, () => {
		const outcome = statusAfter(status, command);
		expect(outcome.ok ? outcome.value : outcome.refusal.kind).toBe(expected);
	});
}
