import type { Actor, BroadcastCommand } from "../../protocol/broadcast-commands.ts";
import { done, type Outcome, refused } from "../../protocol/problem.ts";
import type { GuestId, PersonId } from "../../protocol/roles.ts";
import { type BroadcastRecord, personOf } from "../broadcast-record.ts";
import { isVacant, type PersonRecord, vacantPlace } from "../person-record.ts";
import { isLive } from "../presence.ts";
import type { Applied } from "./applied.ts";

type Of<T extends BroadcastCommand["type"]> = Extract<BroadcastCommand, { type: T }>;

/** Whoever was muted by somebody else is unmuted by host or admin only. */
export function setPerson(
	record: BroadcastRecord,
	{ personId, type: _, ...changes }: Of<"set-person">,
	actor: Actor,
): Outcome<Applied> {
	const isTheirs = actor === personId && personId !== "host";
	if (isTheirs && changes.muted === false && personOf(record, personId)?.mutedByOthers) {
		return refused("forbidden", "person: expected host or admin to unmute whom they muted, got the guest");
	}
	return withPerson(record, personId, (person) => {
		const isSame = Object.entries(changes).every(([key, value]) => person[key as keyof PersonRecord] === value);
		const isHeld = heldMuted(person, changes.muted, isTheirs);
		if (isSame && isHeld === (person.mutedByOthers ?? false)) {
			return person;
		}
		const { mutedByOthers: _held, ...rest } = person;
		return { ...rest, ...changes, ...(isHeld ? { mutedByOthers: true } : {}) };
	});
}

/** The later word of a host counts, also where a guest has muted themselves before. */
function heldMuted(person: PersonRecord, muted: boolean | undefined, isTheirs: boolean): boolean {
	const before = person.mutedByOthers ?? false;
	return muted === undefined || isTheirs ? before : muted && person.id !== "host";
}

export function admitPerson(record: BroadcastRecord, personId: GuestId, nowMs: number): Outcome<Applied> {
	const person = personOf(record, personId);
	if (person !== undefined && isVacant(person)) {
		return refused("wrong-state", `person: expected somebody to admit, got the place ${personId}, which is free`);
	}
	const outcome = withPerson(record, personId, (each) => (each.admitted ? each : { ...each, admitted: true }));
	if (!outcome.ok || outcome.value.record === record) {
		return outcome;
	}
	const admitted = outcome.value.record;
	// Until now nobody asked for their media.
	const call = admitted.call.map((each) => (each.person === personId ? { ...each, awaitedSinceMs: nowMs } : each));
	return done({ record: { ...admitted, call } });
}

/** The place is free again, off air at once, and what its holder had opens nothing any more. */
export function removePerson(record: BroadcastRecord, personId: GuestId, nowMs: number): Outcome<Applied> {
	const person = personOf(record, personId);
	if (person !== undefined && isVacant(person) && !isLive(record, personId)) {
		return done({ record });
	}
	return vacated(
		withPerson(record, personId, ({ credentialsVersion }) => vacantPlace(personId, record, credentialsVersion + 1)),
		personId,
		nowMs,
	);
}

/** A free place is given to whoever gets the new key. */
export function renewCredentials(
	record: BroadcastRecord,
	{ personId, streamKeyHash }: Of<"renew-credentials">,
	nowMs: number,
): Outcome<Applied> {
	const outcome = withPerson(record, personId, (person) => ({
		...person,
		...(isVacant(person) ? { admitted: record.guestAdmission === "automatic", seatedAtMs: nowMs } : {}),
		streamKeyHash,
		credentialsVersion: person.credentialsVersion + 1,
	}));
	return withCredentials(disconnected(outcome, personId), personId);
}

/** Every link to watch from before is worth nothing. */
export function renewViewers(record: BroadcastRecord): Outcome<Applied> {
	const viewerVersion = record.viewerVersion + 1;
	const outcome = disconnected(done({ record: { ...record, viewerVersion } }), "viewer");
	return outcome.ok ? done({ ...outcome.value, credentialsVersion: viewerVersion }) : outcome;
}

/** Whoever has the person's old credentials is cut off, now that these are worth nothing. */
export function disconnected(outcome: Outcome<Applied>, personId: PersonId | "viewer"): Outcome<Applied> {
	if (!outcome.ok) {
		return outcome;
	}
	const { record } = outcome.value;
	const toDisconnect = [...record.toDisconnect.filter((id) => id !== personId), personId];
	return done({ ...outcome.value, record: { ...record, toDisconnect } });
}

/** Nobody waits for whoever was sent away: to the broadcast they have left now, whenever their stream ends. */
export function vacated(outcome: Outcome<Applied>, personId: GuestId, nowMs: number): Outcome<Applied> {
	if (!outcome.ok) {
		return outcome;
	}
	const { record } = outcome.value;
	const left = isLive(record, personId)
		? {
				...record,
				liveStreams: record.liveStreams.filter((stream) => stream !== personId),
				leftAtMs: { ...record.leftAtMs, [personId]: nowMs },
			}
		: record;
	return disconnected(done({ ...outcome.value, record: left }), personId);
}

/** Says for which credentials tokens are to be made: by the time they are, there may be newer ones. */
export function withCredentials(outcome: Outcome<Applied>, personId: PersonId): Outcome<Applied> {
	const credentialsVersion = outcome.ok ? personOf(outcome.value.record, personId)?.credentialsVersion : undefined;
	return outcome.ok && credentialsVersion !== undefined ? done({ ...outcome.value, credentialsVersion }) : outcome;
}

function withPerson(
	record: BroadcastRecord,
	personId: PersonId,
	change: (person: PersonRecord) => PersonRecord,
): Outcome<Applied> {
	const person = personOf(record, personId);
	if (person === undefined) {
		const people = record.people.map(({ id }) => id).join(", ");
		return refused("not-found", `person: expected one of this broadcast's (${people}), got ${personId}`);
	}
	const changed = change(person);
	if (changed === person) {
		return done({ record });
	}
	return done({ record: { ...record, people: record.people.map((each) => (each === person ? changed : each)) } });
}
