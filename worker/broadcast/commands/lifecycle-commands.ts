import { done, type Outcome } from "../../protocol/problem.ts";
import { type BroadcastRecord, endedRecord } from "../broadcast-record.ts";
import { isOver } from "../lifecycle.ts";
import type { Applied } from "./applied.ts";

export function openLobby(record: BroadcastRecord): Outcome<Applied> {
	return done({ record: record.status === "lobby" ? record : { ...record, status: "lobby", indexed: false } });
}

/** Its start was put off, and those who are in the lobby may stay. */
export function closeLobby(record: BroadcastRecord): Outcome<Applied> {
	return done({ record: record.status === "scheduled" ? record : { ...record, status: "scheduled", indexed: false } });
}

export function start(record: BroadcastRecord, nowMs: number): Outcome<Applied> {
	if (record.status === "live") {
		return done({ record });
	}
	return done({ record: { ...record, status: "live", startedAtMs: nowMs, indexed: false } });
}

/**
 * Works on a broken broadcast too: the end is stored first, and what does not answer then is given up after a few seconds and tried again later.
 * @param reason in words, shown to whoever looks at the broadcast; that of the first end counts
 */
export function end(record: BroadcastRecord, reason: string, nowMs: number): Outcome<Applied> {
	return done({ record: isOver(record.status) ? record : endedRecord(record, reason, nowMs) });
}

/** @param reason in words; that of the first counts */
export function cancel(record: BroadcastRecord, reason: string, nowMs: number): Outcome<Applied> {
	return done({ record: isOver(record.status) ? record : endedRecord(record, reason, nowMs, "cancelled") });
}

export function remove(record: BroadcastRecord): Outcome<Applied> {
	return done({ record: { ...record, deleted: true, call: [], indexed: false, failedRounds: 0 } });
}
