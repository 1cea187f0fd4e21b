import { PERSON_IDS, type PersonId } from "../protocol/roles.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import { isMediaOverdue } from "./call-media.ts";
import { isOver } from "./lifecycle.ts";
import { isVacant } from "./person-record.ts";

/** A broadcast that was started and to which nobody came at all is waited for this long: people start early, but not by hours. */
export const NEVER_CAME_MS = 3_600_000;

/** The part of a record that tells who is there. */
export type Attendance = Pick<
	BroadcastRecord,
	| "status"
	| "liveStreams"
	| "call"
	| "callCompositor"
	| "lease"
	| "leftAtMs"
	| "startedAtMs"
	| "guestGraceSeconds"
	| "holdSeconds"
	| "people"
>;

/** Their media is coming: to the Router, or to the compositor, as soon as there is one. */
export function isLive(record: Pick<Attendance, "liveStreams" | "call">, person: PersonId): boolean {
	return record.liveStreams.includes(person) || isInCall(record, person);
}

/** A guest who waits to be admitted is in the call as well. */
export function isInCall({ call }: Pick<Attendance, "call">, person: PersonId): boolean {
	return call.some((member) => member.person === person);
}

/** Until when someone who has left is waited for as if they were there; `undefined` of those who are live or never came. */
export function graceEndsMs(record: Attendance, person: PersonId): number | undefined {
	const leftAtMs = record.leftAtMs[person];
	const place = record.people.find(({ id }) => id === person);
	// Who was sent away is not waited for; and whoever has the place now was not the one who left before.
	const isGone = (place !== undefined && isVacant(place)) || (leftAtMs ?? 0) <= (place?.seatedAtMs ?? -1);
	return isLive(record, person) || leftAtMs === undefined || isGone
		? undefined
		: leftAtMs + record.guestGraceSeconds * 1_000;
}

/** Whether they have a place but were not admitted to the air yet. */
function isWaiting({ people }: Pick<Attendance, "people">, id: PersonId): boolean {
	return people.some((person) => person.id === id && !person.admitted && !isVacant(person));
}

/** Who may be on air: the host, and the guests who were admitted. */
export function admittedPeople({ people }: Pick<Attendance, "people">): PersonId[] {
	return people.filter(({ admitted }) => admitted).map(({ id }) => id);
}

/**
 * Whose media is coming, or is about to come again: they may be on air, and their stream is live, or they left less than the grace time ago.
 */
export function isExpected(record: Attendance, person: PersonId, nowMs: number): boolean {
	const isThere = isLive(record, person) || nowMs < (graceEndsMs(record, person) ?? nowMs);
	return isThere && admittedPeople(record).includes(person);
}

/** Those of them whom a compositor has to show before it is ready: whoever is in the call and sends it nothing is not waited for without end. */
export function expectedPeople(record: Attendance, nowMs: number): PersonId[] {
	return isOver(record.status)
		? []
		: PERSON_IDS.filter((person) => isExpected(record, person, nowMs) && !isMediaOverdue(record, person, nowMs));
}

/**
 * When a live broadcast with nobody in it is over, and why, in words; `undefined` while host or guest is live. It counts from the last one's
 * leaving, whatever the program is made of meanwhile: cards that a compositor shows must not keep a broadcast live for ever.
 */
export function unattendedEnd(record: Attendance): { readonly atMs: number; readonly reason: string } | undefined {
	const { status, startedAtMs, holdSeconds } = record;
	if (
		status !== "live" ||
		startedAtMs === undefined ||
		admittedPeople(record).some((person) => isLive(record, person))
	) {
		return undefined;
	}
	const leftAtMs = Math.max(
		...PERSON_IDS.filter((person) => !isWaiting(record, person)).map((person) => record.leftAtMs[person] ?? 0),
	);
	if (leftAtMs < startedAtMs) {
		const waitMs = Math.max(holdSeconds * 1_000, NEVER_CAME_MS);
		return { atMs: startedAtMs + waitMs, reason: `nobody came for ${waitMs / 1_000} s` };
	}
	return { atMs: leftAtMs + holdSeconds * 1_000, reason: `nobody came back for ${holdSeconds} s` };
}
