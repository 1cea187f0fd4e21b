import type { BroadcastEventType, EventData } from "../../protocol/broadcast-events.ts";
import type { BroadcastRecord } from "../broadcast-record.ts";

/** What happened, before it is said who did it. */
export type Happening = {
	readonly [T in BroadcastEventType]: { readonly type: T; readonly data: EventData<T> };
}[BroadcastEventType];

/** Nothing: what a new broadcast is compared with. */
export type Before = Pick<
	BroadcastRecord,
	| "people"
	| "liveStreams"
	| "call"
	| "invites"
	| "destinations"
	| "webhooks"
	| "lease"
	| "programSource"
	| "layout"
	| "labels"
	| "order"
	| "viewerVersion"
> &
	Partial<Pick<BroadcastRecord, "status" | "scheduledStartMs">>;
