import type { ControlEvent } from "../protocol/control-messages.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";

/** What everyone but the compositors is told of a broadcast, on joining and on every change. */
export function statusEvent({ status, layout, liveStreams, programSource }: BroadcastRecord): ControlEvent {
	return { type: "status", status, layout, liveStreams: [...liveStreams], program: programSource };
}
