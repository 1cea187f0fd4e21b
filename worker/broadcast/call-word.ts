import { PERSON_IDS, type PersonId } from "../protocol/roles.ts";
import { type BroadcastRecord, personOf } from "./broadcast-record.ts";
import { encoderSilentEndMs } from "./call-media.ts";
import type { CallMember } from "./call-member.ts";
import { isLive } from "./presence.ts";

/**
 * Somebody whose control socket broke keeps their place in the call for this long, or for the grace time where that is shorter, so that neither a deploy nor a change of
 * network cuts what is connected by WebRTC. Those who are truly gone are a picture that stands still until then.
 */
export const RESUME_WITHIN_MS = 10_000;

/** Somebody joins by a connection: another one of theirs is none any more. */
type Joining = Pick<CallMember, "person" | "connection" | "leg" | "realTime" | "streams" | "ver">;

/** What happens in the call. */
export type CallWord =
	| { readonly kind: "joined"; readonly member: Joining }
	/** On purpose, or for good. */
	| { readonly kind: "left"; readonly person: PersonId; readonly connection: string }
	/** Their control socket is gone, and may come back. */
	| { readonly kind: "broken"; readonly person: PersonId; readonly connection: string }
	/** The object was lost: these connections are all whose sockets there still are. */
	| { readonly kind: "recovered"; readonly connections: readonly string[] }
	| { readonly kind: "compositor"; readonly fence: number }
	| { readonly kind: "real-time-media"; readonly fence: number; readonly people: readonly PersonId[] };

/** The record after it. The same record when it changes nothing. */
export function withCallWord(record: BroadcastRecord, word: CallWord, nowMs: number): BroadcastRecord {
	switch (word.kind) {
		case "joined":
			return withMember(record, word.member, nowMs);
		case "left":
			return isMember(record, word) ? withoutPeople(record, [word.person], () => nowMs) : record;
		case "broken":
			return withAway(record, (member) => member.connection === word.connection, nowMs);
		case "recovered":
			return withAway(
				record,
				({ leg, connection }) => leg === "real-time" && !word.connections.includes(connection),
				nowMs,
			);
		case "compositor":
			return withCompositor(record, word.fence, nowMs);
		case "real-time-media":
			return withRealTimeMedia(record, word, nowMs);
	}
}

/** The record without these people in the call; who publishes no stream either has left, at that time. The same record when none of them is in it. */
function withoutPeople(
	record: BroadcastRecord,
	people: readonly PersonId[],
	leftAtMs: (member: CallMember) => number,
): BroadcastRecord {
	const leaving = record.call.filter(({ person }) => people.includes(person));
	if (leaving.length === 0) {
		return record;
	}
	const call = record.call.filter((member) => !leaving.includes(member));
	const without = withoutRealTime({ ...record, call }, people);
	const left = leaving
		.filter(({ person }) => !isLive(without, person))
		.map((member) => [member.person, leftAtMs(member)]);
	return left.length === 0 ? without : { ...without, leftAtMs: { ...record.leftAtMs, ...Object.fromEntries(left) } };
}

/**
 * The record without those who are in the call no more, whether they have heard of it or not: whose credentials were made worthless, encoders of which nothing has come for
 * too long, and whose control socket has been broken for too long, which is when they left.
 */
export function withoutAbsent(record: BroadcastRecord, nowMs: number): BroadcastRecord {
	const absent = record.call.filter(
		(member) =>
			member.ver !== personOf(record, member.person)?.credentialsVersion ||
			nowMs >= (awayEndsMs(record, member) ?? Number.POSITIVE_INFINITY) ||
			nowMs >= (encoderSilentEndMs(record, member) ?? Number.POSITIVE_INFINITY),
	);
	return withoutPeople(
		record,
		absent.map(({ person }) => person),
		({ awaySinceMs = nowMs }) => awaySinceMs,
	);
}

/** Until when they may come back to the same connection; `undefined` of those who are there. */
export function awayEndsMs(
	{ guestGraceSeconds }: Pick<BroadcastRecord, "guestGraceSeconds">,
	{ awaySinceMs }: CallMember,
): number | undefined {
	return awaySinceMs === undefined ? undefined : awaySinceMs + Math.min(RESUME_WITHIN_MS, guestGraceSeconds * 1_000);
}

function isMember(
	{ call }: BroadcastRecord,
	{ person, connection }: Pick<CallMember, "person" | "connection">,
): boolean {
	return call.some((member) => member.person === person && member.connection === connection);
}

function withMember(record: BroadcastRecord, joining: Joining, nowMs: number): BroadcastRecord {
	const { person } = joining;
	const before = record.call.find((member) => member.person === person);
	const isSame = before?.connection === joining.connection;
	const { awaySinceMs: _, ...kept } = isSame ? before : { awaitedSinceMs: nowMs };
	const member: CallMember = { ...kept, ...joining };
	const others = record.call.filter((each) => each.person !== person);
	const call = [...others, member].toSorted((a, b) => PERSON_IDS.indexOf(a.person) - PERSON_IDS.indexOf(b.person));
	const { [person]: _left, ...leftAtMs } = record.leftAtMs;
	// What the compositor has is of the connection before.
	return { ...(isSame ? record : withoutRealTime(record, [person])), call, leftAtMs };
}

function withAway(record: BroadcastRecord, isAway: (member: CallMember) => boolean, nowMs: number): BroadcastRecord {
	const gone = record.call.filter((member) => member.awaySinceMs === undefined && isAway(member));
	if (gone.length === 0) {
		return record;
	}
	const call = record.call.map((member) => (gone.includes(member) ? { ...member, awaySinceMs: nowMs } : member));
	return { ...record, call };
}

function withCompositor(record: BroadcastRecord, fence: number, nowMs: number): BroadcastRecord {
	if (fence !== record.lease.fence || record.callCompositor?.fence === fence) {
		return record;
	}
	const call = record.call.map(({ hadMedia: _, ...member }) => member);
	return { ...record, call, callCompositor: { fence, sinceMs: nowMs, realTime: [] } };
}

function withRealTimeMedia(
	record: BroadcastRecord,
	{ fence, people }: Extract<CallWord, { kind: "real-time-media" }>,
	nowMs: number,
): BroadcastRecord {
	const { callCompositor } = record;
	if (callCompositor?.fence !== fence) {
		return record;
	}
	const realTime = record.call.map(({ person }) => person).filter((person) => people.includes(person));
	if (realTime.join() === callCompositor.realTime.join()) {
		return record;
	}
	const call = record.call.map((member): CallMember => {
		const isLost = callCompositor.realTime.includes(member.person) && !realTime.includes(member.person);
		const seen = realTime.includes(member.person) ? { ...member, hadMedia: true as const } : member;
		return isLost ? { ...seen, awaitedSinceMs: nowMs } : seen;
	});
	return { ...record, call, callCompositor: { ...callCompositor, realTime } };
}

function withoutRealTime(record: BroadcastRecord, people: readonly PersonId[]): BroadcastRecord {
	const { callCompositor } = record;
	if (callCompositor === undefined || !callCompositor.realTime.some((person) => people.includes(person))) {
		return record;
	}
	const realTime = callCompositor.realTime.filter((person) => !people.includes(person));
	return { ...record, callCompositor: { ...callCompositor, realTime } };
}
