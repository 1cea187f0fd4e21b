import type { SessionState } from "../lib/session-types.ts";
import { clockWords, countdownWords } from "./time-words.ts";

export interface ShowTimes {
	readonly status: SessionState["status"];
	readonly scheduledStartTime?: string | undefined;
	readonly startedAt?: string | undefined;
}

export function statusWords({ status, scheduledStartTime, startedAt }: ShowTimes, nowMs: number): string {
	switch (status) {
		case "live":
			return startedAt === undefined ? "Live" : `Live ${clockWords(nowMs - Date.parse(startedAt))}`;
		case "scheduled":
		case "lobby": {
			const left =
				scheduledStartTime === undefined ? undefined : countdownWords(Date.parse(scheduledStartTime) - nowMs);
			return left === undefined ? "Not live yet" : `Starts in ${left}`;
		}
		case "ended":
			return "Over";
		case "cancelled":
			return "Cancelled";
		case "unknown":
			return "…";
	}
}
