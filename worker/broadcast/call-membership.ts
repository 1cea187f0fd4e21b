import { PERSON_IDS, type PersonId } from "../protocol/roles.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import type { CallMember } from "./call-member.ts";
import { isLive } from "./presence.ts";

/** The record with somebody in the call, in place of whatever else that person was in it by. */
export function withMember(record: BroadcastRecord, member: CallMember, nowMs: number): BroadcastRecord {
	const others = record.call.filter(({ person }) => person !== member.person);
	return withCall(record, [...others, member], nowMs);
}

/** The record without one connection; the same record where it is not in the call. */
export function withoutConnection(record: BroadcastRecord, connection: string, nowMs: number): BroadcastRecord {
	return withoutMembers(record, (member) => member.connection === connection, nowMs);
}

/** The record without those members; the same record where there are none. */
export function withoutMembers(
	record: BroadcastRecord,
	isGone: (member: CallMember) => boolean,
	nowMs: number,
): BroadcastRecord {
	return record.call.some(isGone)
		? withCall(
				record,
				record.call.filter((member) => !isGone(member)),
				nowMs,
			)
		: record;
}

/** Who leaves the call and publishes nothing either has left from now on; who comes has not. */
function withCall(record: BroadcastRecord, call: readonly CallMember[], nowMs: number): BroadcastRecord {
	const after = { ...record, call };
	const left = PERSON_IDS.filter((person) => isLive(record, person) && !isLive(after, person));
	const there = PERSON_IDS.filter((person) => isLive(after, person));
	const leftAtMs: Partial<Record<PersonId, number>> = { ...record.leftAtMs };
	for (const person of there) {
		delete leftAtMs[person];
	}
	for (const person of left) {
		leftAtMs[person] = nowMs;
	}
	return { ...after, leftAtMs };
}
