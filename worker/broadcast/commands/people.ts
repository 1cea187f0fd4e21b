import type { BroadcastCommand } from "../../protocol/broadcast-commands.ts";
import { done, type Outcome, refused } from "../../protocol/problem.ts";
import type { GuestId, PersonId } from "../../protocol/roles.ts";
import { type BroadcastRecord, personOf } from "../broadcast-record.ts";
import { emptyPlace, type PersonRecord } from "../person-record.ts";
import type { Applied } from "./apply-command.ts";

type Of<T extends BroadcastCommand["type"]> = Extract<BroadcastCommand, { type: T }>;

export function setPerson(
	record: BroadcastRecord,
	{ personId, type: _, ...changes }: Of<"set-person">,
): Outcome<Applied> {
	return withPerson(record, personId, (person) => {
		const isSame = Object.entries(changes).every(([key, value]) => person[key as keyof PersonRecord] === value);
		return isSame ? person : { ...person, ...changes };
	});
}

export function admitPerson(record: BroadcastRecord, personId: GuestId): Outcome<Applied> {
	return withPerson(record, personId, (person) => (person.admitted ? person : { ...person, admitted: true }));
}

/** The place is free again, and what its holder had opens nothing any more. */
export function removePerson(record: BroadcastRecord, personId: GuestId): Outcome<Applied> {
	return disconnected(
		withPerson(record, personId, (person) => emptyPlace(personId, record, person.credentialsVersion + 1)),
		personId,
	);
}

export function renewCredentials(
	record: BroadcastRecord,
	{ personId, streamKeyHash }: Of<"renew-credentials">,
): Outcome<Applied> {
	return disconnected(
		withPerson(record, personId, (person) => ({
			...person,
			streamKeyHash,
			credentialsVersion: person.credentialsVersion + 1,
		})),
		personId,
	);
}

/** Whoever has the person's old credentials is cut off, now that these are worth nothing. */
export function disconnected(outcome: Outcome<Applied>, personId: PersonId): Outcome<Applied> {
	if (!outcome.ok) {
		return outcome;
	}
	const { record } = outcome.value;
	const toDisconnect = [...record.toDisconnect.filter((id) => id !== personId), personId];
	return done({ ...outcome.value, record: { ...record, toDisconnect } });
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
