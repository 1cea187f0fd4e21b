import { MS_PER_SECOND } from "../../media/units.ts";

/** RFC 3339 §5.6 `date-time`, where `T` and `Z` may be lower case. */
const DATE_TIME =
	/^(?<date>\d{4}-\d{2}-\d{2})t(?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d):(?<second>[0-5]\d|60)(?:\.(?<fraction>\d+))?(?:z|(?<sign>[+-])(?<zoneHour>[01]\d|2[0-3]):(?<zoneMinute>[0-5]\d))$/i;
/** Nothing says more than nanoseconds. */
export const MAX_DATE_TIME_LENGTH = 40;

const MS_PER_MINUTE = 60_000;
const MINUTES_PER_DAY = 24 * 60;

/**
 * Milliseconds since the epoch of a `date-time` of RFC 3339, in any zone; `undefined` for text that is none. A leap second (`:60`, only at 23:59 UTC)
 * is the second after it, since computers do not count it.
 */
export function dateTimeMs(text: string): number | undefined {
	const parts = text.length <= MAX_DATE_TIME_LENGTH ? DATE_TIME.exec(text)?.groups : undefined;
	if (parts === undefined) {
		return undefined;
	}
	const { date, hour, minute, second, fraction = "0", sign, zoneHour = "0", zoneMinute = "0" } = parts;
	const dayMs = Date.parse(`${date}T00:00:00Z`);
	// The 30th of February is taken for the 2nd of March.
	if (Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(date ?? "")) {
		return undefined;
	}
	const zoneMinutes = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === "-" ? -1 : 1);
	const minutes = Number(hour) * 60 + Number(minute) - zoneMinutes;
	const isLastMinute = (minutes + 2 * MINUTES_PER_DAY + 1) % MINUTES_PER_DAY === 0;
	if (second === "60" && !isLastMinute) {
		return undefined;
	}
	return dayMs + minutes * MS_PER_MINUTE + Number(second) * MS_PER_SECOND + Number(fraction.slice(0, 3).padEnd(3, "0"));
}
