import type { BroadcastStatus } from "../protocol/broadcast-commands.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A broadcast that has anything to do writes its row again after this long, in case the list has lost it. */
export const REWRITE_AFTER_MS = 6 * HOUR_MS;
/** One that somebody looks at writes it sooner: they may have come because the list does not show it. Bounds what reading costs. */
export const REWRITE_WHEN_READ_AFTER_MS = 10 * MINUTE_MS;
/** A row this old, of a broadcast that should have had something to do, is doubted: its object is asked. */
export const DOUBT_AFTER_MS = DAY_MS;
/** What is over does not change any more, but may have been deleted. */
export const DOUBT_OVER_AFTER_MS = 30 * DAY_MS;

/** Whether the broadcast's row is to be written once more, though nothing has changed. */
export function isRewriteDue(indexedAtMs: number | undefined, nowMs: number, occasion: "work" | "read"): boolean {
	const afterMs = occasion === "read" ? REWRITE_WHEN_READ_AFTER_MS : REWRITE_AFTER_MS;
	return nowMs - (indexedAtMs ?? Number.NEGATIVE_INFINITY) >= afterMs;
}

/** Whether a row has not been confirmed for so long that its object is to be asked. */
export function isDoubtful(row: { readonly status: BroadcastStatus; readonly refreshedAtMs: number }, nowMs: number) {
	const isOver = row.status === "ended" || row.status === "cancelled";
	return nowMs - row.refreshedAtMs >= (isOver ? DOUBT_OVER_AFTER_MS : DOUBT_AFTER_MS);
}
