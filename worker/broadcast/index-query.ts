import type { BroadcastStatus } from "../protocol/broadcast-commands.ts";

/** What is asked of the list of broadcasts, and what it gives. */

export interface IndexRow {
	readonly id: string;
	readonly title: string;
	readonly description: string;
	readonly host_name: string;
	readonly status: BroadcastStatus;
	readonly layout: string;
	readonly created_at_ms: number;
	readonly scheduled_start_ms: number | null;
	readonly started_at_ms: number | null;
	readonly ended_at_ms: number | null;
	readonly version: number;
	readonly refreshed_at_ms: number;
	/** When it is to begin, or, where nobody said, when it was made. */
	readonly time_ms: number;
}

export const LIST_ORDERS = ["newest", "start"] as const;
/** By when they were made, the last first; or by when they begin, the soonest first. */
export type ListOrder = (typeof LIST_ORDERS)[number];

/** Where a page of the list ended: the next one begins with what comes after. */
export interface IndexPosition {
	/** When the last one was made, or when it begins, as the order goes by. */
	readonly atMs: number;
	readonly id: string;
}

export interface IndexQuery {
	readonly statuses?: readonly BroadcastStatus[];
	/** When it begins or, where nobody said, was made: from this on, and before that. */
	readonly fromMs?: number;
	readonly untilMs?: number;
	/** In FTS5's query language; see `searchQuery`. */
	readonly words?: string;
	readonly order: ListOrder;
	readonly after?: IndexPosition;
	readonly limit: number;
}
