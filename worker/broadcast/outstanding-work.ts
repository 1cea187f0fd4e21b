import type { PersonId } from "../protocol/roles.ts";
import { COMPOSITE_WITHIN_MS, RELEASE_WITHIN_MS } from "./attended.ts";
import type { BroadcastRecord, DestinationRecord } from "./broadcast-record.ts";
import { encoderSilentEndMs, mediaDueMs } from "./call-media.ts";
import { awayEndsMs } from "./call-word.ts";
import { compositorWanted } from "./compositor-wanted.ts";
import { isRewriteDue } from "./index-age.ts";
import { isOver } from "./lifecycle.ts";
import { graceEndsMs, unattendedEnd } from "./presence.ts";
import { isAcknowledged, programPlan } from "./program-plan.ts";
import { isReminderDue, nextScheduledMs } from "./schedule.ts";

/** One call to a fellow object or the index that brings the world in line with the record. Each may be repeated without harm. */
export type WorkStep =
	| { readonly kind: "open-router" }
	| { readonly kind: "plan-program" }
	| { readonly kind: "check-streams" }
	| { readonly kind: "end-router" }
	/** Cuts off whoever holds credentials that are worth nothing any more. */
	| { readonly kind: "disconnect"; readonly people: readonly (PersonId | "viewer")[] }
	| { readonly kind: "start-egress"; readonly destinationId: string }
	| { readonly kind: "resume-egress"; readonly destinationId: string }
	| { readonly kind: "stop-egress"; readonly destinationId: string }
	| { readonly kind: "request-lease" }
	| { readonly kind: "check-lease"; readonly leaseId: string }
	| { readonly kind: "release-lease"; readonly leaseId: string }
	/** Reminds those who asked for it that it begins soon. */
	| { readonly kind: "remind" }
	| { readonly kind: "index" }
	| { readonly kind: "unindex" };

/** Who is asked: the steps of one lane follow each other, and those of different lanes do not wait for each other. */
export type WorkLane = "router" | "people" | "pool" | "audience" | "index" | `egress/${string}`;

export function laneOf(step: WorkStep): WorkLane {
	switch (step.kind) {
		case "open-router":
		case "plan-program":
		case "check-streams":
		case "end-router":
			return "router";
		case "disconnect":
			return "people";
		case "request-lease":
		case "check-lease":
		case "release-lease":
			return "pool";
		case "start-egress":
		case "resume-egress":
		case "stop-egress":
			return `egress/${step.destinationId}`;
		case "remind":
			return "audience";
		case "index":
		case "unindex":
			return "index";
	}
}

/** What is left to do, at most one step a lane. A pure function of the record, so that work cut short by a restart is found again. */
export function outstandingWork(record: BroadcastRecord, nowMs: number): readonly WorkStep[] {
	return [
		...record.destinations.map((destination) => egressWork(record, destination)),
		routerWork(record, nowMs),
		record.toDisconnect.length === 0 ? undefined : { kind: "disconnect" as const, people: record.toDisconnect },
		leaseWork(record, nowMs),
		!record.deleted && isReminderDue(record, nowMs) ? { kind: "remind" as const } : undefined,
		indexWork(record, nowMs),
	].filter((step) => step !== undefined);
}

/**
 * When to look again without being asked, once all that is due at `nowMs` has been tried; `undefined` when nothing is left to happen. What was
 * due and failed is tried again when `retryAtMs` says.
 */
export function nextWakeMs(record: BroadcastRecord, nowMs: number): number | undefined {
	const times = [
		record.retryAtMs,
		...(isOver(record.status) ? [] : [...deadlinesMs(record), nextScheduledMs(record, nowMs)]),
	];
	const ahead = times.filter((timeMs): timeMs is number => timeMs !== undefined && timeMs > nowMs);
	return ahead.length === 0 ? undefined : Math.min(...ahead);
}

function deadlinesMs(record: BroadcastRecord): (number | undefined)[] {
	const { phase, dueAtMs, unwantedSinceMs, awaitedSinceMs } = record.lease;
	return [
		unattendedEnd(record)?.atMs,
		...record.people.map(({ id }) => graceEndsMs(record, id)),
		...record.call.flatMap((member) => [
			awayEndsMs(record, member),
			mediaDueMs(record, member.person),
			encoderSilentEndMs(record, member),
		]),
		phase === "none" ? undefined : dueAtMs,
		unwantedSinceMs === undefined ? undefined : unwantedSinceMs + RELEASE_WITHIN_MS,
		awaitedSinceMs === undefined ? undefined : awaitedSinceMs + COMPOSITE_WITHIN_MS,
		record.streamsDueAtMs,
	];
}

function egressWork(record: BroadcastRecord, { id, egress, removed, resume }: DestinationRecord): WorkStep | undefined {
	const isBusy = egress === "starting" || egress === "started";
	if (removed || isOver(record.status)) {
		return isBusy ? { kind: "stop-egress", destinationId: id } : undefined;
	}
	if (record.status !== "live") {
		return undefined;
	}
	if (egress === "idle" || egress === "starting") {
		return { kind: "start-egress", destinationId: id };
	}
	return egress === "started" && resume ? { kind: "resume-egress", destinationId: id } : undefined;
}

function routerWork(record: BroadcastRecord, nowMs: number): WorkStep | undefined {
	const wanted = !isOver(record.status) && !record.deleted;
	if (wanted !== record.routerOpen) {
		return { kind: wanted ? "open-router" : "end-router" };
	}
	if (!wanted) {
		return undefined;
	}
	if (!isAcknowledged(record, programPlan(record, nowMs))) {
		return { kind: "plan-program" };
	}
	return nowMs >= (record.streamsDueAtMs ?? Number.POSITIVE_INFINITY) ? { kind: "check-streams" } : undefined;
}

/** While anything else happens to a broadcast, its row is written again now and then: a list that lost it gets it back. */
function indexWork({ indexed, indexedAtMs, deleted }: BroadcastRecord, nowMs: number): WorkStep | undefined {
	if (deleted) {
		return indexed ? undefined : { kind: "unindex" };
	}
	return indexed && !isRewriteDue(indexedAtMs, nowMs, "work") ? undefined : { kind: "index" };
}

function leaseWork(record: BroadcastRecord, nowMs: number): WorkStep | undefined {
	const { phase, leaseId, dueAtMs = 0 } = record.lease;
	const wanted = compositorWanted(record, nowMs) !== undefined;
	if (!wanted || phase === "none") {
		if (leaseId !== undefined && canDoWithout(record, nowMs)) {
			return { kind: "release-lease", leaseId };
		}
		return wanted && leaseId === undefined ? { kind: "request-lease" } : undefined;
	}
	if (nowMs < dueAtMs) {
		return undefined;
	}
	const mayBeHeld = phase !== "retrying" && leaseId !== undefined;
	return mayBeHeld ? { kind: "check-lease", leaseId } : { kind: "request-lease" };
}

/**
 * Whether a compositor can go without the program noticing: the Router has been told that the host is preferred, and has said that the program
 * is made of something else. A Router that says nothing is waited for no longer than {@link RELEASE_WITHIN_MS}.
 */
function canDoWithout(record: BroadcastRecord, nowMs: number): boolean {
	const { phase, unwantedSinceMs = nowMs } = record.lease;
	if (record.status !== "live" || phase === "none" || phase === "waiting") {
		return true;
	}
	const hasLet = record.acknowledgedPlan?.prefers === "host" && record.programSource !== "composite";
	return hasLet || nowMs >= unwantedSinceMs + RELEASE_WITHIN_MS;
}
