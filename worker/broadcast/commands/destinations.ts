import type { BroadcastCommand, NewDestination } from "../../protocol/broadcast-commands.ts";
import { done, type Outcome, refused } from "../../protocol/problem.ts";
import {
	type BroadcastRecord,
	type DestinationRecord,
	newDestinationRecord,
	shownDestinations,
	withDestination,
	withoutDestination,
} from "../broadcast-record.ts";
import type { Applied } from "./apply-command.ts";

/** A program leaves for a handful of services at most; each costs a connection and the program's bitrate. */
export const MAX_DESTINATIONS = 8;

export function addDestination(
	record: BroadcastRecord,
	{ type: _, ...destination }: Extract<BroadcastCommand, { type: "add-destination" }>,
): Outcome<Applied> {
	const refusal = destinationsRefusal([...shownDestinations(record), destination]);
	return (
		refusal ??
		done({ record: { ...record, destinations: [...record.destinations, newDestinationRecord(destination)] } })
	);
}

/** Why a broadcast cannot have these destinations together. */
export function destinationsRefusal(destinations: readonly NewDestination[]): Outcome<never> | undefined {
	if (destinations.length > MAX_DESTINATIONS) {
		return refused(
			"too-many",
			`destination: expected at most ${MAX_DESTINATIONS} a broadcast, got ${destinations.length}`,
		);
	}
	const fingerprints = destinations.map(({ fingerprint }) => fingerprint);
	const repeated = destinations.find(({ fingerprint }, index) => fingerprints.indexOf(fingerprint) < index);
	return repeated === undefined
		? undefined
		: refused(
				"duplicate-destination",
				`destination: expected an address and key this broadcast does not go to yet, got ${repeated.shownUrl} again`,
			);
}

export function updateDestination(
	record: BroadcastRecord,
	{ destinationId, type: _, ...changes }: Extract<BroadcastCommand, { type: "update-destination" }>,
): Outcome<Applied> {
	return destinationOf(record, destinationId) === undefined
		? noSuchDestination()
		: done({ record: withDestination(record, destinationId, changes) });
}

/** Allowed in every state; the Egress is stopped first. */
export function removeDestination(record: BroadcastRecord, destinationId: string): Outcome<Applied> {
	const destination = destinationOf(record, destinationId);
	if (destination === undefined) {
		return noSuchDestination();
	}
	const untouched = destination.egress === "idle" || destination.egress === "stopped";
	return done({
		record: untouched
			? withoutDestination(record, destinationId)
			: withDestination(record, destinationId, { removed: true }),
	});
}

export function destinationOf(record: BroadcastRecord, id: string): DestinationRecord | undefined {
	return shownDestinations(record).find((destination) => destination.id === id);
}

export function noSuchDestination(): Outcome<never> {
	return refused("not-found", "destination: expected one of this broadcast's, got an id that is none of them");
}
