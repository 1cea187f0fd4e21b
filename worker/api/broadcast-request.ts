import type { z } from "@hono/zod-openapi";
import type { BroadcastSettings, SettingsChanges } from "../protocol/broadcast-commands.ts";
import { ApiProblem } from "./api-problem.ts";
import { dateTimeMs } from "./date-time.ts";
import type { broadcastChangesSchema, newBroadcastSchema } from "./schemas.ts";

/** A year, also a leap year: whoever means more has mistyped. */
const MAX_AHEAD_MS = 366 * 24 * 3_600_000;

/** The settings a new broadcast is asked for with. @throws {ApiProblem} for a start that is past or too far ahead */
export function newSettings(request: z.infer<typeof newBroadcastSchema>, nowMs: number): BroadcastSettings {
	const { videoBitrate, description, posterUrl, scheduledStartTime, record: _r, destinations: _d, ...same } = request;
	return {
		...same,
		videoBitrateBps: videoBitrate,
		...(description === undefined ? {} : { description }),
		...(posterUrl === undefined ? {} : { posterUrl }),
		...(scheduledStartTime === undefined ? {} : { scheduledStartMs: startMs(scheduledStartTime, nowMs) }),
	};
}

/** The changes a request asks for. @throws {ApiProblem} as {@link newSettings} */
export function settingsChanges(request: z.infer<typeof broadcastChangesSchema>, nowMs: number): SettingsChanges {
	const { videoBitrate, scheduledStartTime, ...same } = request;
	const given = Object.fromEntries(Object.entries(same).filter(([, value]) => value !== undefined)) as SettingsChanges;
	return {
		...given,
		...(videoBitrate === undefined ? {} : { videoBitrateBps: videoBitrate }),
		...(scheduledStartTime === undefined
			? {}
			: { scheduledStartMs: scheduledStartTime === null ? null : startMs(scheduledStartTime, nowMs) }),
	};
}

function startMs(scheduledStartTime: string, nowMs: number): number {
	const timeMs = dateTimeMs(scheduledStartTime);
	if (timeMs === undefined || timeMs <= nowMs || timeMs > nowMs + MAX_AHEAD_MS) {
		const got = timeMs === undefined ? "something else" : dateTime(timeMs);
		const detail = `expected a time after ${dateTime(nowMs)} and at most ${dateTime(nowMs + MAX_AHEAD_MS)}, got ${got}`;
		throw new ApiProblem("invalid-request", `scheduledStartTime: ${detail}`, [{ path: "scheduledStartTime", detail }]);
	}
	return timeMs;
}

function dateTime(timeMs: number): string {
	return new Date(timeMs).toISOString();
}
