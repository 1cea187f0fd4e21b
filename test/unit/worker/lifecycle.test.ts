import { expect, test } from "vitest";
import { LIFECYCLE, type LifecycleStep, statusAfter } from "../../../worker/broadcast/lifecycle.ts";
import { BROADCAST_STATUSES } from "../../../worker/protocol/broadcast-commands.ts";

/** What each step leads to in scheduled, lobby, live, ended and cancelled; a dot keeps the status. */
const EXPECTED: Readonly<Record<LifecycleStep, string>> = {
	"open-lobby": "lobby lobby already-live broadcast-ended broadcast-ended",
	"close-lobby": "scheduled scheduled already-live broadcast-ended broadcast-ended",
	start: "live live live broadcast-ended broadcast-ended",
	end: "ended ended ended ended broadcast-ended",
	cancel: "cancelled cancelled already-live broadcast-ended cancelled",
	delete: ". . already-live . .",
	update: ". . . broadcast-ended broadcast-ended",
	"set-scene": ". . . broadcast-ended broadcast-ended",
	"set-person": ". . . broadcast-ended broadcast-ended",
	"admit-person": ". . . broadcast-ended broadcast-ended",
	"remove-person": ". . . broadcast-ended broadcast-ended",
	"renew-credentials": ". . . broadcast-ended broadcast-ended",
	"renew-viewers": ". . . broadcast-ended broadcast-ended",
	"create-invite": ". . . broadcast-ended broadcast-ended",
	"revoke-invite": ". . . . .",
	"redeem-invite": ". . . broadcast-ended broadcast-ended",
	"add-destination": ". . . broadcast-ended broadcast-ended",
	"update-destination": ". . . broadcast-ended broadcast-ended",
	"remove-destination": ". . . . .",
	"add-webhook": ". . . . .",
	"remove-webhook": ". . . . .",
};

const STEPS = Object.keys(LIFECYCLE) as LifecycleStep[];

for (const step of STEPS) {
	const outcomes = EXPECTED[step].split(" ");
	for (const [index, status] of BROADCAST_STATUSES.entries()) {
		const expected = outcomes[index] === "." ? status : outcomes[index];
		test(`${step} of a broadcast that is ${status}: ${expected}`, () => {
			const outcome = statusAfter(status, step);
			expect(outcome.ok ? outcome.value : outcome.refusal.kind).toBe(expected);
			if (!outcome.ok) {
				expect(outcome.refusal.found).toBe(status);
				for (const legal of outcome.refusal.expected ?? []) {
					expect(statusAfter(BROADCAST_STATUSES.find((each) => each === legal) ?? "live", step).ok).toBe(true);
				}
			}
		});
	}
}
