const SECOND_MS = 1_000;
const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;

/** `7:05`, or `1:02:03` from an hour on. */
export function clockWords(durationMs: number): string {
	const seconds = Math.max(0, Math.floor(durationMs / SECOND_MS));
	const [hours, minutes] = [Math.floor(seconds / HOUR_S), Math.floor((seconds % HOUR_S) / MINUTE_S)];
	const rest = String(seconds % MINUTE_S).padStart(2, "0");
	return hours === 0 ? `${minutes}:${rest}` : `${hours}:${String(minutes).padStart(2, "0")}:${rest}`;
}

/** How long it is until then: `3 days 4 h`, `1:02:03`, and nothing when it has come. */
export function countdownWords(untilMs: number): string | undefined {
	// Rounded up, so that it says 0:01 until it is time.
	const seconds = Math.ceil(untilMs / SECOND_MS);
	if (seconds <= 0) {
		return undefined;
	}
	if (seconds < DAY_S) {
		return clockWords(seconds * SECOND_MS);
	}
	const days = Math.floor(seconds / DAY_S);
	return `${days} ${days === 1 ? "day" : "days"} ${Math.floor((seconds % DAY_S) / HOUR_S)} h`;
}

/** The moment in the reader's own zone and manner: `Tuesday 24 November, 19:00 CET`. */
export function momentWords(timeMs: number, format: Intl.DateTimeFormat = MOMENT): string {
	return format.format(timeMs);
}

const MOMENT = new Intl.DateTimeFormat(undefined, {
	weekday: "long",
	day: "numeric",
	month: "long",
	hour: "2-digit",
	minute: "2-digit",
	timeZoneName: "short",
});
