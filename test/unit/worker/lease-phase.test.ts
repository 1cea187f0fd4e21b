import { expect, test } from "vitest";
import { type LeaseRecord, NO_LEASE } from "../../../worker/broadcast/broadcast-record.ts";
import {
	answered,
	changed,
	checked,
	failed,
	LEASE_CHECK_EVERY_MS,
	requested,
} from "../../../worker/broadcast/lease-phase.ts";
import type { LeaseChange } from "../../../worker/protocol/object-rpc.ts";

const change = (state: LeaseChange["state"], fence = 1): LeaseChange => ({
	leaseId: "l",
	fence,
	state,
	reason: "test",
});

const asked = requested(NO_LEASE, 0);
const assigned = answered(asked, 1, { outcome: "assigned", leaseId: "l" }, 0, 0);
const running = changed(assigned, change("running"), 1_000, 0);

test("each request has a higher fence", () => {
	expect(asked).toMatchObject({ phase: "requesting", fence: 1 });
	expect(requested(asked, 0).fence).toBe(2);
});

test("the pool's word that came before its answer counts", () => {
	const told = changed(asked, change("running"), 10, 0);
	expect(answered(told, 1, { outcome: "assigned", leaseId: "l" }, 20, 0)).toBe(told);
});

test("word of another fence changes nothing", () => {
	const second = requested(assigned, 0);
	for (const state of ["assigned", "running", "lost", "released"] as const) {
		expect(changed(second, change(state, 1), 0, 0)).toBe(second);
	}
	expect(answered(second, 1, { outcome: "assigned", leaseId: "l" }, 0, 0)).toBe(second);
});

test("running is not undone by a late word of the assignment", () => {
	expect(changed(running, change("assigned"), 2_000, 0)).toBe(running);
});

test("the first loss is mended at once, the next ones ever later, up to the cap", () => {
	let lease: LeaseRecord = assigned;
	const delaysMs = [];
	for (let n = 0; n < 8; n++) {
		lease = failed(lease, "test", 0, 0.999_999);
		delaysMs.push(Math.round(lease.dueAtMs ?? -1));
	}
	expect(delaysMs).toEqual([0, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
});

test("jitter takes at most half of the wait", () => {
	const twice = failed(failed(assigned, "test", 0, 0), "test", 0, 0);
	expect(twice.dueAtMs).toBe(250);
});

test("a compositor that ran for a while starts the back-off anew, one that died at once does not", () => {
	const troubled: LeaseRecord = { ...running, failures: 5 };
	expect(changed(troubled, change("lost"), 1_000 + 10_000, 0)).toMatchObject({
		phase: "retrying",
		failures: 1,
		dueAtMs: 11_000,
	});
	expect(changed(troubled, change("lost"), 2_000, 0).failures).toBe(6);
});

test("a refusal is retried, and keeps no lease", () => {
	const refused = answered(asked, 1, { outcome: "refused", reason: "full" }, 0, 0);
	expect(refused).toEqual({ phase: "retrying", fence: 1, failures: 1, lastFailure: "full", dueAtMs: 0 });
	expect(requested(refused, 0).lastFailure).toBe("full");
});

test("a loss that nobody told of is found by asking", () => {
	expect(checked(running, "unknown", 20_000, 0)).toMatchObject({ phase: "retrying" });
	expect(checked(assigned, "running", 20_000, 0)).toMatchObject({
		phase: "running",
		leaseId: "l",
		runningSinceMs: 20_000,
		dueAtMs: 20_000 + LEASE_CHECK_EVERY_MS,
	});
});
