import type { Limits } from "../../limits.ts";
import type {
	BroadcastCommand,
	NewDestination,
	SealedAddress,
	TestedDestination,
} from "../../protocol/broadcast-commands.ts";
import type { EgressConfig } from "../../protocol/object-rpc.ts";
import { done, type Outcome, refused } from "../../protocol/problem.ts";
import {
	type BroadcastRecord,
	type DestinationRecord,
	egressConfig,
	newDestinationRecord,
	shownDestinations,
	withDestination,
	withoutDestination,
} from "../broadcast-record.ts";
import { warningsOf } from "../broadcast-view.ts";
import { isOver } from "../lifecycle.ts";
import type { Applied } from "./applied.ts";

export function addDestination(
	record: BroadcastRecord,
	{ type: _, ...destination }: Extract<BroadcastCommand, { type: "add-destination" }>,
	{ maxDestinations }: Pick<Limits, "maxDestinations">,
): Outcome<Applied> {
	const refusal = destinationsRefusal([...shownDestinations(record), destination], maxDestinations);
	return (
		refusal ??
		done({ record: { ...record, destinations: [...record.destinations, newDestinationRecord(destination)] } })
	);
}

/** Why a broadcast cannot have these destinations together. */
export function destinationsRefusal(
	destinations: readonly NewDestination[],
	maxDestinations: number,
): Outcome<never> | undefined {
	if (destinations.length > maxDestinations) {
		return refused(
			"too-many",
			`destination: expected at most ${maxDestinations} a broadcast, got ${destinations.length}`,
		);
	}
	return repeatedRefusal(destinations);
}

function repeatedRefusal(destinations: readonly NewDestination[]): Outcome<never> | undefined {
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
	{ destinationId, type: _, address, ...changes }: Extract<BroadcastCommand, { type: "update-destination" }>,
): Outcome<Applied> {
	const destination = destinationOf(record, destinationId);
	if (destination === undefined) {
		return noSuchDestination();
	}
	const keyed = address === undefined ? {} : underKey(destination, address);
	const next = withDestination(record, destinationId, { ...changes, ...keyed });
	const refusal = repeatedRefusal(shownDestinations(next));
	return refusal ?? done({ record: next });
}

/**
 * A key that is another one, and any after a refusal, begins that destination anew when the program goes there, and no other one. Its Egress
 * says goodbye under the old key first.
 */
function underKey(destination: DestinationRecord, address: SealedAddress): Partial<DestinationRecord> {
	if (destination.fingerprint === address.fingerprint && destination.state !== "refused") {
		return {};
	}
	const isBusy = destination.egress === "starting" || destination.egress === "started";
	return { ...address, ...(isBusy ? { egress: "starting" } : {}) };
}

export function destinationConfig(record: BroadcastRecord, destinationId: string): Outcome<EgressConfig> {
	const destination = destinationOf(record, destinationId);
	return destination === undefined ? noSuchDestination() : done(egressConfig(record, destination));
}

/** What a test needs. A test beside the program would take its place at the destination, or be refused for it. */
export function testedDestination(record: BroadcastRecord, destinationId: string): Outcome<TestedDestination> {
	const destination = destinationOf(record, destinationId);
	if (destination === undefined) {
		return noSuchDestination();
	}
	if (isOver(record.status)) {
		return refused("broadcast-ended", `broadcast: expected one that is not over, got one that is ${record.status}`, {
			expected: ["scheduled", "lobby", "live"],
			found: record.status,
		});
	}
	const { egress, state } = destination;
	if ((egress === "starting" || egress === "started") && state !== "refused" && state !== "stopped") {
		return refused("wrong-state", `destination: expected one that the program does not go to, got it ${state}`, {
			expected: ["idle", "refused", "stopped"],
			found: state,
		});
	}
	return done({ config: egressConfig(record, destination), warnings: warningsOf(destination, record) });
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
