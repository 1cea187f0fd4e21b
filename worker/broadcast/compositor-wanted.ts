import { GUEST_IDS } from "../protocol/roles.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import { isOver } from "./lifecycle.ts";
import { type Attendance, admittedPeople, isExpected, isLive } from "./presence.ts";
import { isWarmWanted } from "./schedule.ts";

/** Why a compositor is wanted. */
export type CompositorReason =
	/** The broadcast asks for it. */
	| "always"
	/** A guest is there, or may come back any moment; the host need not be. */
	| "guest"
	/** The host's own stream cannot be passed through. */
	| "host-unfit"
	/** The host sends nothing to the Router: what they send goes to a compositor, or nowhere. */
	| "host-real-time"
	/** An encoder that speaks WHIP is answered by a compositor, also before the start. */
	| "whip"
	/** Nobody is there, and a compositor is: it goes on, with cards. */
	| "nobody"
	/** It begins soon: what is then to be composed is composed from the first picture. */
	| "warm";

/**
 * Whether a compositor is to be there, and why; `undefined` when it is not. While the broadcast is live never for a host who is alone and fit:
 * their stream is passed through. Before that only about the time of its start, so that it is ready then, host or not, and for whom it has to answer.
 *
 * With nobody there no compositor is asked for: the program is held. One that runs already is kept, since cards are better to look at than a
 * picture that stands still, and since the one who left is likely to come back to it. It is kept until the host is back and fit, or until the
 * broadcast ends for want of people.
 */
export function compositorWanted(
	record: Attendance & Pick<BroadcastRecord, "alwaysCompose" | "hostUnfit" | "lease" | "scheduledStartMs">,
	nowMs: number,
): CompositorReason | undefined {
	if (record.status !== "live") {
		if (isWarmWanted(record, nowMs)) {
			return "warm";
		}
		return !isOver(record.status) && hasEncoder(record) ? "whip" : undefined;
	}
	if (record.alwaysCompose) {
		return "always";
	}
	if (GUEST_IDS.some((guest) => isExpected(record, guest, nowMs))) {
		return "guest";
	}
	if (isLive(record, "host")) {
		if (isOnlyInCall(record)) {
			return "host-real-time";
		}
		return record.hostUnfit === undefined ? undefined : "host-unfit";
	}
	const { phase } = record.lease;
	return phase === "assigned" || phase === "running" ? "nobody" : undefined;
}

/** Whether one of those who may be on air comes by WHIP; who is not admitted has nobody to be answered by. */
function hasEncoder(record: Attendance): boolean {
	const admitted = admittedPeople(record);
	return record.call.some(({ leg, person }) => leg === "whip" && admitted.includes(person));
}

/** Whether what the host sends goes to a compositor, and nothing of it to the Router. */
function isOnlyInCall({ call, liveStreams }: Pick<BroadcastRecord, "call" | "liveStreams">): boolean {
	const host = call.find(({ person }) => person === "host");
	return host !== undefined && (host.leg === "whip" || (!host.streams && !liveStreams.includes("host")));
}
