import type { BroadcastRecord } from "../broadcast/broadcast-record.ts";
import type { AudienceEvent, PublicState, PublicView } from "../protocol/audience.ts";

/** What anyone may know of a record: nothing of its people but the host's name, and nothing of where it goes. */
export function publicState(record: BroadcastRecord, viewers: number): PublicState {
	const { version, status, title, scheduledStartMs, startedAtMs, endedAtMs } = record;
	return {
		version,
		status,
		title,
		...(scheduledStartMs === undefined ? {} : { scheduledStartMs }),
		...(startedAtMs === undefined ? {} : { startedAtMs }),
		...(endedAtMs === undefined ? {} : { endedAtMs }),
		viewers,
	};
}

export function publicView(record: BroadcastRecord, viewers: number): PublicView {
	const { id, description, posterUrl, rescheduled, people } = record;
	return {
		...publicState(record, viewers),
		id,
		hostName: people.find((person) => person.id === "host")?.name ?? "",
		...(description === undefined ? {} : { description }),
		...(posterUrl === undefined ? {} : { posterUrl }),
		rescheduled,
	};
}

/** Whether both say the same of the broadcast, however many watch it and whatever else of it changed. */
export function isSameState(one: PublicState, other: PublicState): boolean {
	const [a, b] = [one, other].map((state) => JSON.stringify({ ...stateEvent(state), viewers: 0 }));
	return a === b;
}

export function stateEvent(state: PublicState): AudienceEvent {
	const { status, title, viewers } = state;
	return { type: "state", status, title, ...publicTimes(state), viewers };
}

/** The times that there are, as the API writes them. */
export function publicTimes(state: PublicState): Pick<AudienceEvent, "scheduledStartTime" | "startedAt" | "endedAt"> {
	const { scheduledStartMs, startedAtMs, endedAtMs } = state;
	return {
		...(scheduledStartMs === undefined ? {} : { scheduledStartTime: new Date(scheduledStartMs).toISOString() }),
		...(startedAtMs === undefined ? {} : { startedAt: new Date(startedAtMs).toISOString() }),
		...(endedAtMs === undefined ? {} : { endedAt: new Date(endedAtMs).toISOString() }),
	};
}
