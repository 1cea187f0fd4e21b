import type { PersonId } from "../protocol/roles.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import type { CallCompositor, CallMember } from "./call-member.ts";

/**
 * Who is in the call and has not been seen by the compositor for this long does not hold it up any more. It covers what a person tries before they fall
 * back on their stream leg (5 s without WebRTC), and that leg's first key frame.
 */
export const MEDIA_WITHIN_MS = 8_000;

/** An encoder of which nothing comes for this long has gone without a goodbye; one whose line was cut for a moment has restarted ICE by then. */
export const ENCODER_SILENT_MS = 30_000;

type CallMedia = Pick<BroadcastRecord, "call" | "callCompositor" | "lease" | "liveStreams" | "guestGraceSeconds">;

/** The compositor that is in the call now: it came, and its lease is the newest and not given up. */
export function compositorInCall({
	callCompositor,
	lease,
}: Pick<BroadcastRecord, "callCompositor" | "lease">): CallCompositor | undefined {
	const isHeld = lease.phase !== "none" && lease.phase !== "retrying";
	return isHeld && callCompositor?.fence === lease.fence ? callCompositor : undefined;
}

/**
 * Until when the compositor waits for the media of somebody who is in the call; `undefined` of everybody whose media comes, and while there is no compositor that
 * it could come to. Whose media came before and was lost is waited for as long as somebody who left.
 */
export function mediaDueMs(record: CallMedia, person: PersonId): number | undefined {
	const member = record.call.find((each) => each.person === person);
	const compositor = compositorInCall(record);
	if (member === undefined || compositor === undefined) {
		return undefined;
	}
	if (compositor.realTime.includes(person) || record.liveStreams.includes(person)) {
		return undefined;
	}
	const lostWaitMs = member.hadMedia ? record.guestGraceSeconds * 1_000 : 0;
	return Math.max(member.awaitedSinceMs, compositor.sinceMs) + Math.max(MEDIA_WITHIN_MS, lostWaitMs);
}

export function isMediaOverdue(record: CallMedia, person: PersonId, nowMs: number): boolean {
	const dueMs = mediaDueMs(record, person);
	return dueMs !== undefined && nowMs >= dueMs;
}

/** When an encoder is out of the call unless its media comes; `undefined` of those whose media comes, and of people, who have a control socket to be missed by. */
export function encoderSilentEndMs(
	record: Pick<BroadcastRecord, "callCompositor" | "lease">,
	{ leg, person, awaitedSinceMs }: CallMember,
): number | undefined {
	const isHere = leg !== "whip" || (compositorInCall(record)?.realTime.includes(person) ?? false);
	return isHere ? undefined : awaitedSinceMs + ENCODER_SILENT_MS;
}
