import { MS_PER_SECOND } from "../../media/units.ts";
import { PERSON_TOKEN_LIFETIME_S } from "../auth/token-lifetime.ts";
import { PERSON_IDS } from "../protocol/roles.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import { end, openLobby, start } from "./commands/lifecycle-commands.ts";
import { isOver, statusAfter } from "./lifecycle.ts";
import { type Attendance, isExpected, isLive } from "./presence.ts";

/** A cold Chromium is composing within some seconds, also on a busy box; one that is early costs a minute of its time. */
export const WARM_BEFORE_MS = 60_000;
/** A show that has not begun by then, and whose host is not there, will hardly begin in the next moment. */
export const WARM_AFTER_MS = 5 * 60_000;
/** A lobby without a start into which nobody has come closes when the links into it have gone stale: an open one costs nothing meanwhile. */
export const EMPTY_LOBBY_MS = PERSON_TOKEN_LIFETIME_S * MS_PER_SECOND;

const MS_PER_MINUTE = 60_000;

/** What time does by itself to a broadcast that is not live yet. */
export type ScheduledStep =
	| { readonly type: "open-lobby" }
	/** In `startMode: "auto"`. */
	| { readonly type: "start" }
	| { readonly type: "end"; readonly reason: string };

/** The record after the first thing that is due; `undefined` when nothing is. To be asked again, for one thing follows another. */
export function afterDueStep(record: BroadcastRecord, nowMs: number): BroadcastRecord | undefined {
	const step = dueStep(record, nowMs);
	if (step === undefined || !statusAfter(record.status, step.type).ok) {
		return undefined;
	}
	const applied = apply(record, step, nowMs);
	return applied.ok ? applied.value.record : undefined;
}

/** What is due first, in the order a show has: an object that slept through all of it does one after the other. */
export function dueStep(record: BroadcastRecord, nowMs: number): ScheduledStep | undefined {
	if (isPast(lobbyOpensAtMs(record), nowMs)) {
		return { type: "open-lobby" };
	}
	if (isPast(startsAtMs(record), nowMs)) {
		return { type: "start" };
	}
	const closing = lobbyEnd(record);
	return closing !== undefined && nowMs >= closing.atMs ? { type: "end", reason: closing.reason } : undefined;
}

/** When something of the schedule is due next, later than `nowMs`; `undefined` when nothing is, as long as nobody comes or goes. */
export function nextScheduledMs(record: BroadcastRecord, nowMs: number): number | undefined {
	const times = [
		lobbyOpensAtMs(record),
		startsAtMs(record),
		lobbyEnd(record)?.atMs,
		remindsAtMs(record),
		...warmTimesMs(record),
	].filter((timeMs): timeMs is number => timeMs !== undefined && timeMs > nowMs);
	return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * Whether a compositor is to be ready before it is needed. It makes its frames, and the Router, which is not on air, shows them to nobody.
 */
export function isWarmWanted(record: Attendance & Pick<BroadcastRecord, "scheduledStartMs">, nowMs: number): boolean {
	const { scheduledStartMs } = record;
	if (!isAhead(record) || scheduledStartMs === undefined || nowMs < scheduledStartMs - WARM_BEFORE_MS) {
		return false;
	}
	return nowMs < scheduledStartMs + WARM_AFTER_MS || isExpected(record, "host", nowMs);
}

/** Whether those on the reminder list are to be reminded now. Too late is not at all: who comes then sees that it has begun. */
export function isReminderDue(record: BroadcastRecord, nowMs: number): boolean {
	const { scheduledStartMs } = record;
	return scheduledStartMs !== undefined && nowMs < scheduledStartMs && isPast(remindsAtMs(record), nowMs);
}

function apply(record: BroadcastRecord, step: ScheduledStep, nowMs: number) {
	switch (step.type) {
		case "open-lobby":
			return openLobby(record);
		case "start":
			return start(record, nowMs);
		case "end":
			return end(record, step.reason, nowMs);
	}
}

function lobbyOpensAtMs({ status, scheduledStartMs, lobbySeconds }: BroadcastRecord): number | undefined {
	return status === "scheduled" && scheduledStartMs !== undefined
		? scheduledStartMs - lobbySeconds * MS_PER_SECOND
		: undefined;
}

/** When it goes live by itself, if its host stays; in the past where it waited for nothing but them. */
function startsAtMs(record: BroadcastRecord): number | undefined {
	const waits = isAhead(record) && record.startMode === "auto" && isLive(record, "host");
	return waits ? (record.scheduledStartMs ?? 0) : undefined;
}

/**
 * When a lobby closes for want of people, and why, in words. One with a start waits for its host, and never closes while they are there; they may
 * have come, tried everything and left again, and then it counts from their leaving. One without waits for anyone.
 */
export function lobbyEnd(record: BroadcastRecord): { readonly atMs: number; readonly reason: string } | undefined {
	const { status, scheduledStartMs, noShowSeconds, leftAtMs, lobbySinceMs } = record;
	if (status !== "lobby") {
		return undefined;
	}
	if (scheduledStartMs !== undefined) {
		const { host: hostLeftAtMs = 0 } = leftAtMs;
		return isLive(record, "host")
			? undefined
			: {
					atMs: Math.max(scheduledStartMs, hostLeftAtMs) + noShowSeconds * MS_PER_SECOND,
					reason: hostLeftAtMs < scheduledStartMs ? "the host never came" : "the host did not come back",
				};
	}
	if (lobbySinceMs === undefined || PERSON_IDS.some((person) => isLive(record, person))) {
		return undefined;
	}
	const emptySinceMs = Math.max(lobbySinceMs, ...PERSON_IDS.map((person) => leftAtMs[person] ?? 0));
	return { atMs: emptySinceMs + EMPTY_LOBBY_MS, reason: "nobody came" };
}

function remindsAtMs(record: BroadcastRecord): number | undefined {
	const { scheduledStartMs, remindedForMs, reminderMinutesBefore } = record;
	const isDone = scheduledStartMs === undefined || remindedForMs === scheduledStartMs;
	return isDone || !isAhead(record) ? undefined : scheduledStartMs - reminderMinutesBefore * MS_PER_MINUTE;
}

function warmTimesMs({ status, scheduledStartMs }: BroadcastRecord): number[] {
	const mayWarm = isAhead({ status }) && scheduledStartMs !== undefined;
	return mayWarm ? [scheduledStartMs - WARM_BEFORE_MS, scheduledStartMs + WARM_AFTER_MS] : [];
}

function isAhead({ status }: Pick<BroadcastRecord, "status">): boolean {
	return status !== "live" && !isOver(status);
}

function isPast(timeMs: number | undefined, nowMs: number): boolean {
	return timeMs !== undefined && nowMs >= timeMs;
}
