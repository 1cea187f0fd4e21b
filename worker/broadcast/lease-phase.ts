import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import type { LeaseAnswer, LeaseChange, LeaseStanding } from "../protocol/object-rpc.ts";
import type { LeaseRecord } from "./broadcast-record.ts";

/** A compositor that is lost is replaced at once the first time; the cap keeps a broken fleet from being hammered. */
const RETRY: RetryPolicy = { firstMs: 500, capMs: 10_000 };
/** A compositor that ran this long was healthy: its loss starts the back-off anew. */
const HEALTHY_AFTER_MS = 10_000;
/** How often the pool is asked whether it still knows the lease, in case its word of a loss was lost. */
export const LEASE_CHECK_EVERY_MS = 15_000;

/** A new lease is being asked for, under a fence that was never used. */
export function requested(lease: LeaseRecord, nowMs: number): LeaseRecord {
	return {
		phase: "requesting",
		fence: lease.fence + 1,
		failures: lease.failures,
		...(lease.lastFailure === undefined ? {} : { lastFailure: lease.lastFailure }),
		dueAtMs: nowMs + LEASE_CHECK_EVERY_MS,
	};
}

/** What the pool answered to the request for `fence`. Its own word by `leaseChanged` may have come first, and then counts. */
export function answered(
	lease: LeaseRecord,
	fence: number,
	answer: LeaseAnswer,
	nowMs: number,
	random: number,
): LeaseRecord {
	if (lease.fence !== fence || lease.phase !== "requesting") {
		return lease;
	}
	if (answer.outcome === "refused") {
		return failed(lease, answer.reason, nowMs, random);
	}
	return { ...lease, phase: answer.outcome, leaseId: answer.leaseId };
}

/** What the pool says of a lease. Word of an older lease, or of none that was asked for, changes nothing. */
export function changed(lease: LeaseRecord, change: LeaseChange, nowMs: number, random: number): LeaseRecord {
	if (change.fence !== lease.fence || lease.phase === "none" || lease.phase === "retrying") {
		return lease;
	}
	switch (change.state) {
		case "assigned":
			return lease.phase === "running" ? lease : { ...lease, phase: "assigned", leaseId: change.leaseId };
		case "running":
			return {
				...lease,
				phase: "running",
				leaseId: change.leaseId,
				runningSinceMs: lease.runningSinceMs ?? nowMs,
			};
		case "lost":
		case "released":
			return failed(lease, change.reason, nowMs, random);
	}
}

/** What the pool knows of the lease when asked. */
export function checked(lease: LeaseRecord, standing: LeaseStanding, nowMs: number, random: number): LeaseRecord {
	if (standing === "unknown") {
		return failed(lease, "broadcast: expected the pool to know the lease, got none", nowMs, random);
	}
	return {
		...lease,
		phase: standing,
		dueAtMs: nowMs + LEASE_CHECK_EVERY_MS,
		...(standing === "running" ? { runningSinceMs: lease.runningSinceMs ?? nowMs } : {}),
	};
}

/** Nobody wants a compositor, and none is held: nothing is asked for until somebody does. */
export function dropped(lease: LeaseRecord): LeaseRecord {
	const { fence, lastFailure } = lease;
	return { phase: "none", fence, failures: 0, ...(lastFailure === undefined ? {} : { lastFailure }) };
}

/** There is no compositor: ask again, at once after the first failure, then less and less often. */
export function failed(lease: LeaseRecord, reason: string, nowMs: number, random: number): LeaseRecord {
	const wasHealthy = lease.runningSinceMs !== undefined && nowMs - lease.runningSinceMs >= HEALTHY_AFTER_MS;
	const failures = wasHealthy ? 0 : lease.failures;
	const delayMs = failures === 0 ? 0 : retryDelayMs(RETRY, failures - 1, random);
	return {
		phase: "retrying",
		fence: lease.fence,
		failures: failures + 1,
		lastFailure: reason,
		dueAtMs: nowMs + delayMs,
	};
}
