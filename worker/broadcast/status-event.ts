import type { ControlEvent } from "../protocol/control-messages.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import { isLive } from "./presence.ts";

/** What everyone but the compositors is told of a broadcast, on joining and on every change. */
export function statusEvent(record: BroadcastRecord): ControlEvent {
	const { status, layout, liveStreams, programSource, version, labels, order, people } = record;
	return {
		type: "status",
		status,
		layout,
		liveStreams: [...liveStreams],
		program: programSource,
		version,
		labels,
		order: [...order],
		people: people.map(({ id, name, admitted, muted }) => ({ id, name, live: isLive(record, id), admitted, muted })),
	};
}
