import type { PublicView } from "../protocol/audience.ts";

/** RFC 5545 §3.1: longer lines are folded. Octets, without the line's end. */
const MAX_LINE_OCTETS = 75;
/** Nobody says how long a broadcast will be; calendars show none without an end as a line. */
const ASSUMED_LENGTH_MS = 3_600_000;
const ALARM_MINUTES_BEFORE = 10;
/** Products name themselves (RFC 5545 §3.7.3). */
const PRODUCT = "-//Tandem//Broadcasts//EN";

export type CalendarEntry = Pick<
	PublicView,
	| "id"
	| "title"
	| "description"
	| "hostName"
	| "status"
	| "scheduledStartMs"
	| "startedAtMs"
	| "endedAtMs"
	| "rescheduled"
> & { readonly scheduledStartMs: number };

/**
 * An iCalendar object (RFC 5545) with the one event, which replaces what was imported before when it was put off, and takes it away when it was
 * cancelled (RFC 5546 §3.2.1, §3.2.5). Lines end with CRLF.
 *
 * @param watchUrl where it is to be seen
 * @param nowMs the time at which this object is made
 */
export function calendarOf(entry: CalendarEntry, watchUrl: string, nowMs: number): string {
	const { id, title, description, hostName, status, scheduledStartMs, endedAtMs, rescheduled } = entry;
	const isCancelled = status === "cancelled";
	const endsAtMs = isCancelled ? undefined : endedAtMs;
	const lines = [
		"BEGIN:VCALENDAR",
		"VERSION:2.0",
		`PRODID:${PRODUCT}`,
		`METHOD:${isCancelled ? "CANCEL" : "PUBLISH"}`,
		"BEGIN:VEVENT",
		`UID:${id}@tandem`,
		`DTSTAMP:${utcTime(nowMs)}`,
		`DTSTART:${utcTime(scheduledStartMs)}`,
		`DTEND:${utcTime(Math.max(endsAtMs ?? 0, scheduledStartMs + ASSUMED_LENGTH_MS))}`,
		// Cancelling is one more revision.
		`SEQUENCE:${rescheduled + (isCancelled ? 1 : 0)}`,
		`STATUS:${isCancelled ? "CANCELLED" : "CONFIRMED"}`,
		`SUMMARY:${escapedText(title)}`,
		...(description === undefined || description === "" ? [] : [`DESCRIPTION:${escapedText(description)}`]),
		`ORGANIZER;CN=${quotedParameter(hostName)}:${watchUrl}`,
		`URL:${watchUrl}`,
		...(isCancelled ? [] : alarmLines(title)),
		"END:VEVENT",
		"END:VCALENDAR",
	];
	return lines.map((line) => `${foldedLine(line)}\r\n`).join("");
}

function alarmLines(title: string): string[] {
	return [
		"BEGIN:VALARM",
		"ACTION:DISPLAY",
		`DESCRIPTION:${escapedText(title)}`,
		`TRIGGER:-PT${ALARM_MINUTES_BEFORE}M`,
		"END:VALARM",
	];
}

/** DATE-TIME form 2 (RFC 5545 §3.3.5): UTC, to the second. */
function utcTime(timeMs: number): string {
	return `${new Date(timeMs).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
}

/** TEXT (RFC 5545 §3.3.11): breaks are written `\n`, and other control characters, which it cannot hold, are left out. */
export function escapedText(text: string): string {
	return text
		.replace(/[\\;,]/g, (character) => `\\${character}`)
		.replace(/\r\n|[\r\n\u0085\u2028\u2029]/g, "\\n")
		.replace(CONTROL_CHARACTERS, "");
}

/** A quoted parameter value (RFC 5545 §3.2), in which RFC 6868 writes what may not stand there. */
function quotedParameter(text: string): string {
	const escaped = text
		.replace(/\^/g, "^^")
		.replace(/"/g, "^'")
		.replace(/\r\n|[\r\n]/g, "^n");
	return `"${escaped.replace(CONTROL_CHARACTERS, "")}"`;
}

/** CONTROL (RFC 5545 §3.1) without tab, which text may hold. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000a-\u001f\u007f]/g;

const encoder = new TextEncoder();

/** The line in pieces of at most 75 octets (RFC 5545 §3.1), no character torn apart; a piece that follows begins with a space. */
export function foldedLine(line: string): string {
	let folded = "";
	let octets = 0;
	for (const character of line) {
		const size = encoder.encode(character).byteLength;
		if (octets + size > MAX_LINE_OCTETS) {
			folded += "\r\n ";
			octets = 1;
		}
		folded += character;
		octets += size;
	}
	return folded;
}
