import { PERSON_IDS } from "../protocol/roles.ts";
import type { BroadcastRecord, LeaseRecord } from "./broadcast-record.ts";
import { withoutAbsent } from "./call-word.ts";
import { compositorWanted } from "./compositor-wanted.ts";
import { dropped, failed } from "./lease-phase.ts";
import { isOver } from "./lifecycle.ts";
import { expectedPeople, isLive } from "./presence.ts";

/** The Router answers within milliseconds; the host's next key frame may take some seconds. A compositor is not kept longer than this. */
export const RELEASE_WITHIN_MS = 15_000;
/** A compositor that makes frames and shows none to the Router for this long is cut off from it, or waits for someone who never comes. */
export const COMPOSITE_WITHIN_MS = 30_000;
/** How often the Router is asked who publishes, in case its word of someone's leaving was lost. */
export const STREAMS_CHECK_EVERY_MS = 30_000;

/**
 * The record with everything that follows from its other facts and the time: who is in the call no more, who is expected, since when the compositor has been
 * unwanted or awaited, since when its lobby has been open, and a lease that is given up without asking anyone. The same record when nothing follows.
 *
 * @param random in [0, 1), for the back-off of a compositor that is given up
 */
export function attended(stored: BroadcastRecord, nowMs: number, random: number): BroadcastRecord {
	const record = withoutAbsent(stored, nowMs);
	const lease = attendedLease(record, nowMs, random);
	const people = expectedPeople({ ...record, lease }, nowMs);
	const expected = people.join() === record.expected.join() ? record.expected : people;
	const isChecked = !isOver(record.status) && PERSON_IDS.some((person) => isLive(record, person));
	const streamsDueAtMs = isChecked ? (record.streamsDueAtMs ?? nowMs + STREAMS_CHECK_EVERY_MS) : undefined;
	const lobbySinceMs = record.status === "lobby" ? (record.lobbySinceMs ?? nowMs) : undefined;
	const isSame = streamsDueAtMs === record.streamsDueAtMs && lobbySinceMs === record.lobbySinceMs;
	if (expected === record.expected && lease === record.lease && isSame) {
		return record;
	}
	const { streamsDueAtMs: _streams, lobbySinceMs: _lobby, ...rest } = record;
	return {
		...rest,
		expected,
		lease,
		...(streamsDueAtMs === undefined ? {} : { streamsDueAtMs }),
		...(lobbySinceMs === undefined ? {} : { lobbySinceMs }),
	};
}

function attendedLease(record: BroadcastRecord, nowMs: number, random: number): LeaseRecord {
	const { lease } = record;
	const wanted = compositorWanted(record, nowMs) !== undefined;
	if (!wanted && isNowhere(lease, nowMs)) {
		return dropped(lease);
	}
	// Before the start it may show nothing as long as nobody is there: that is no sign of its being cut off.
	const mustShow = record.status === "live" || expectedPeople(record, nowMs).length > 0;
	const isAwaited = wanted && mustShow && lease.phase === "running" && record.compositeFence !== lease.fence;
	if (isAwaited && nowMs >= (lease.awaitedSinceMs ?? nowMs) + COMPOSITE_WITHIN_MS) {
		return failed(lease, "broadcast: expected the compositor's program at the Router in time, got none", nowMs, random);
	}
	const unwantedSinceMs = wanted || lease.phase === "none" ? undefined : (lease.unwantedSinceMs ?? nowMs);
	const awaitedSinceMs = isAwaited ? (lease.awaitedSinceMs ?? nowMs) : undefined;
	if (unwantedSinceMs === lease.unwantedSinceMs && awaitedSinceMs === lease.awaitedSinceMs) {
		return lease;
	}
	const { unwantedSinceMs: _unwanted, awaitedSinceMs: _awaited, ...rest } = lease;
	return {
		...rest,
		...(unwantedSinceMs === undefined ? {} : { unwantedSinceMs }),
		...(awaitedSinceMs === undefined ? {} : { awaitedSinceMs }),
	};
}

/** Whether the pool holds nothing for it: it was lost, or was asked for so long ago that no answer is to come. */
function isNowhere(lease: LeaseRecord, nowMs: number): boolean {
	const isUnanswered = lease.phase === "requesting" && lease.leaseId === undefined;
	return lease.phase === "retrying" || (isUnanswered && nowMs >= (lease.dueAtMs ?? 0));
}
