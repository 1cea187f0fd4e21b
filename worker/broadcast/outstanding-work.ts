import type { BroadcastRecord } from "./broadcast-record.ts";

/** One call to a fellow object or the index that brings the world in line with the record. Each may be repeated without harm. */
export type WorkStep =
	| { readonly kind: "open-router" }
	| { readonly kind: "end-router" }
	| { readonly kind: "start-egress"; readonly destinationId: string }
	| { readonly kind: "stop-egress"; readonly destinationId: string }
	| { readonly kind: "request-lease" }
	| { readonly kind: "check-lease"; readonly leaseId: string }
	| { readonly kind: "release-lease"; readonly leaseId: string }
	| { readonly kind: "index" }
	| { readonly kind: "unindex" };

/**
 * What is left to do, as stages: the steps of one stage may run at once, and the next stage follows whether they succeeded or not. A pure
 * function of the record, so that work cut short by a restart is found again.
 */
export function outstandingWork(record: BroadcastRecord, nowMs: number): readonly (readonly WorkStep[])[] {
	const stages: readonly (readonly WorkStep[])[] = [
		// A destination must hear the end of the broadcast before its program stops coming.
		egressStops(record),
		[...routerWork(record), ...leaseWork(record, nowMs), ...egressStarts(record), ...indexWork(record)],
	];
	return stages.filter((stage) => stage.length > 0);
}

/** When to look again without being asked; `undefined` when nothing is left to happen. */
export function nextWakeMs(record: BroadcastRecord): number | undefined {
	const due = record.status === "live" ? record.lease.dueAtMs : undefined;
	const times = [due, record.retryAtMs].filter((timeMs) => timeMs !== undefined);
	return times.length === 0 ? undefined : Math.min(...times);
}

function egressStops(record: BroadcastRecord): WorkStep[] {
	return record.destinations
		.filter(({ egress }) => egress === "starting" || egress === "started")
		.filter(({ removed }) => removed || record.status === "ended")
		.map(({ id }) => ({ kind: "stop-egress", destinationId: id }));
}

function egressStarts(record: BroadcastRecord): WorkStep[] {
	if (record.status !== "live") {
		return [];
	}
	return record.destinations
		.filter(({ egress, removed }) => (egress === "idle" || egress === "starting") && !removed)
		.map(({ id }) => ({ kind: "start-egress", destinationId: id }));
}

function routerWork(record: BroadcastRecord): WorkStep[] {
	const wanted = record.status !== "ended" && !record.deleted;
	if (wanted === record.routerOpen) {
		return [];
	}
	return [{ kind: wanted ? "open-router" : "end-router" }];
}

function leaseWork(record: BroadcastRecord, nowMs: number): WorkStep[] {
	const { phase, leaseId, dueAtMs = 0 } = record.lease;
	if (record.status !== "live") {
		return leaseId === undefined ? [] : [{ kind: "release-lease", leaseId }];
	}
	if (phase === "none") {
		return [{ kind: "request-lease" }];
	}
	if (nowMs < dueAtMs) {
		return [];
	}
	const mayBeHeld = phase !== "retrying" && leaseId !== undefined;
	return [mayBeHeld ? { kind: "check-lease", leaseId } : { kind: "request-lease" }];
}

function indexWork(record: BroadcastRecord): WorkStep[] {
	if (record.indexed) {
		return [];
	}
	return [{ kind: record.deleted ? "unindex" : "index" }];
}
