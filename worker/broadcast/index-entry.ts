import type { LayoutName } from "../../media/layout.ts";
import type { BroadcastStatus, BroadcastView } from "../protocol/broadcast-commands.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";

/** What the list of broadcasts shows of one. */
export interface IndexEntry {
	readonly id: string;
	readonly title: string;
	/** "" where there is none. */
	readonly description: string;
	readonly hostName: string;
	readonly status: BroadcastStatus;
	readonly layout: LayoutName;
	readonly createdAtMs: number;
	readonly scheduledStartMs: number | undefined;
	readonly startedAtMs: number | undefined;
	readonly endedAtMs: number | undefined;
	readonly version: number;
}

export function entryOfRecord(record: BroadcastRecord): IndexEntry {
	return entryOf(record, record.people.find(({ id }) => id === "host")?.name ?? "");
}

export function entryOfView(view: BroadcastView): IndexEntry {
	return entryOf(view, view.hostName);
}

/** Whether the list shows both alike; their versions may differ by what it does not show. */
export function isListedAlike(one: BroadcastRecord, other: BroadcastRecord): boolean {
	const [a, b] = [one, other].map((record) => JSON.stringify({ ...entryOfRecord(record), version: 0 }));
	return a === b;
}

function entryOf(source: BroadcastRecord | BroadcastView, hostName: string): IndexEntry {
	return {
		id: source.id,
		title: source.title,
		description: source.description ?? "",
		hostName,
		status: source.status,
		layout: source.layout,
		createdAtMs: source.createdAtMs,
		scheduledStartMs: source.scheduledStartMs,
		startedAtMs: source.startedAtMs,
		endedAtMs: source.endedAtMs,
		version: source.version,
	};
}
