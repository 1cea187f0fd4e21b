import type { PersonId } from "../protocol/roles.ts";
import type { CallPeer, PeerId } from "../protocol/signaling.ts";
import { type BroadcastRecord, personOf } from "./broadcast-record.ts";
import { compositorInCall } from "./call-media.ts";
import type { CallMember } from "./call-member.ts";

type Call = Pick<BroadcastRecord, "call" | "callCompositor" | "lease" | "people">;

/** What one of those in the call is told of it. */
export interface CallView {
	readonly self: CallPeer;
	readonly peers: CallPeer[];
	/** False of a guest who waits for admission: there is nobody to connect with, and no server to do it by. */
	readonly isAdmitted: boolean;
}

/** The same for all that a compositor's page does: it is one page a lease, whose control socket may break and come back. */
export function compositorConnection(fence: number): string {
	return `compositor-${fence}`;
}

/** What they see of the call; `undefined` of whoever is not in it. A guest who is not admitted sees nobody, and is seen by nobody. */
export function callView(record: Call, viewer: PeerId): CallView | undefined {
	const self = peersOf(record, viewer).find(({ id }) => id === viewer);
	if (self === undefined) {
		return undefined;
	}
	const isSeeing = mayConnect(record, viewer);
	const peers = peersOf(record, viewer).filter(
		({ id }) => id !== viewer && (id === "compositor" || isAdmitted(record, id)),
	);
	return { self, peers: isSeeing ? peers : [], isAdmitted: isSeeing };
}

/** Whether they may be connected with others now. */
export function mayConnect(record: Pick<BroadcastRecord, "people">, peer: PeerId): boolean {
	return peer === "compositor" || isAdmitted(record, peer);
}

function peersOf(record: Call, viewer: PeerId): CallPeer[] {
	const compositor = compositorInCall(record);
	return [
		...record.call.map((member) => ({
			id: member.person,
			connection: member.connection,
			realTime: isReachable(member, viewer),
		})),
		...(compositor === undefined
			? []
			: [{ id: "compositor" as const, connection: compositorConnection(compositor.fence), realTime: true }]),
	];
}

/** An encoder talks to the compositor and to nobody else. */
function isReachable({ person, leg, realTime }: CallMember, viewer: PeerId): boolean {
	return realTime && (leg === "real-time" || viewer === "compositor" || viewer === person);
}

function isAdmitted(record: Pick<BroadcastRecord, "people">, person: PersonId): boolean {
	return personOf(record, person)?.admitted ?? false;
}
