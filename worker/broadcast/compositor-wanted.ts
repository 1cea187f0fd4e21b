import { GUEST_IDS } from "../protocol/roles.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import { type Attendance, isExpected, isLive } from "./presence.ts";
import { isWarmWanted } from "./schedule.ts";

/** Why a compositor is wanted. */
export type CompositorReason =
	/** The broadcast asks for it. */
	| "always"
	/** A guest is there, or may come back any moment; the host need not be. */
	| "guest"
	/** The host's own stream cannot be passed through. */
	| "host-unfit"
	/** Nobody is there, and a compositor is: it goes on, with cards. */
	| "nobody"
	/** It begins soon: what is then to be composed is composed from the first picture. */
	| "warm";

/**
 * Whether a compositor is to be there, and why; `undefined` when it is not. While the broadcast is live never for a host who is alone and fit:
 * their stream is passed through. Before that only about the time of its start, so that it is ready then, host or not.
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
		return isWarmWanted(record, nowMs) ? "warm" : undefined;
	}
	if (record.alwaysCompose) {
		return "always";
	}
	if (GUEST_IDS.some((guest) => isExpected(record, guest, nowMs))) {
		return "guest";
	}
	if (isLive(record, "host")) {
		return record.hostUnfit === undefined ? undefined : "host-unfit";
	}
	const { phase } = record.lease;
	return phase === "assigned" || phase === "running" ? "nobody" : undefined;
}
