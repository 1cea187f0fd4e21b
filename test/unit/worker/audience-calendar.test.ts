import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CalendarEntry, calendarOf, escapedText, foldedLine } from "../../../worker/audience/calendar.ts";

const START_MS = Date.UTC(2027, 0, 31, 18);
const NOW_MS = Date.UTC(2026, 10, 23, 2, 17, 5);
const WATCH_URL = "https://tandem.example/watch/0123456789abcdef";
const SHOW: CalendarEntry = {
	id: "0123456789abcdef",
	title: "A show",
	hostName: "Ada",
	status: "scheduled",
	scheduledStartMs: START_MS,
	rescheduled: 0,
};

/** Lines as a calendar reads them: folds undone (RFC 5545 §3.1). */
function linesOf(text: string): string[] {
	expect(text.endsWith("\r\n")).toBe(true);
	return text.replaceAll("\r\n ", "").split("\r\n").slice(0, -1);
}

describe("the entry", () => {
	test("is whole, in order, with an alarm ten minutes before", () => {
		expect(linesOf(calendarOf({ ...SHOW, description: "With Grace" }, WATCH_URL, NOW_MS))).toEqual([
			"BEGIN:VCALENDAR",
			"VERSION:2.0",
			"PRODID:-//Tandem//Broadcasts//EN",
			"METHOD:PUBLISH",
			"BEGIN:VEVENT",
			"UID:0123456789abcdef@tandem",
			"DTSTAMP:20261123T021705Z",
			"DTSTART:20270131T180000Z",
			"DTEND:20270131T190000Z",
			"SEQUENCE:0",
			"STATUS:CONFIRMED",
			"SUMMARY:A show",
			"DESCRIPTION:With Grace",
			`ORGANIZER;CN="Ada":${WATCH_URL}`,
			`URL:${WATCH_URL}`,
			"BEGIN:VALARM",
			"ACTION:DISPLAY",
			"DESCRIPTION:A show",
			"TRIGGER:-PT10M",
			"END:VALARM",
			"END:VEVENT",
			"END:VCALENDAR",
		]);
	});

	const cases: { name: string; change: Partial<CalendarEntry>; has: string[]; lacks?: string[] }[] = [
		{
			name: "put off, it has a higher sequence and the new start under the same id",
			change: { rescheduled: 2, scheduledStartMs: START_MS + 86_400_000 },
			has: ["SEQUENCE:2", "DTSTART:20270201T180000Z", "UID:0123456789abcdef@tandem"],
		},
		{
			name: "cancelled, it is one more revision that takes it away, and rings nobody",
			change: { status: "cancelled", rescheduled: 2, endedAtMs: NOW_MS },
			has: ["METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:3", "DTEND:20270131T190000Z"],
			lacks: ["BEGIN:VALARM", "METHOD:PUBLISH"],
		},
		{
			name: "ended later than was thought, it ends when it did",
			change: { status: "ended", startedAtMs: START_MS, endedAtMs: START_MS + 2 * 3_600_000 },
			has: ["DTEND:20270131T200000Z"],
		},
		{
			name: "what means something in text is escaped",
			change: { title: "One; two, three\\four\nfive", hostName: 'Ada "A" ^ Lovelace' },
			has: ["SUMMARY:One\\; two\\, three\\\\four\\nfive", `ORGANIZER;CN="Ada ^'A^' ^^ Lovelace":${WATCH_URL}`],
		},
		{
			name: "nothing typed makes a line of its own",
			change: { title: "A\r\nATTACH:x", description: "B\rC\u2028D\u0000E", hostName: "F\r\nG:\u0007" },
			has: ["SUMMARY:A\\nATTACH:x", "DESCRIPTION:B\\nC\\nDE", `ORGANIZER;CN="F^nG:":${WATCH_URL}`],
			lacks: ["ATTACH:x"],
		},
	];
	test.each(cases)("$name", ({ change, has, lacks = [] }) => {
		const lines = linesOf(calendarOf({ ...SHOW, ...change }, WATCH_URL, NOW_MS));
		expect(lines).toEqual(expect.arrayContaining(has));
		for (const line of lacks) {
			expect(lines).not.toContain(line);
		}
	});
});

describe("folding", () => {
	const octetsOf = (text: string) => new TextEncoder().encode(text).byteLength;
	const cases = [
		{ name: "75 octets stay one line", line: "x".repeat(75), folded: "x".repeat(75) },
		{ name: "76 do not", line: "x".repeat(76), folded: `${"x".repeat(75)}\r\n x` },
		{
			name: "the space of a piece that follows counts",
			line: "x".repeat(75 + 74 + 1),
			folded: `${"x".repeat(75)}\r\n ${"x".repeat(74)}\r\n x`,
		},
		{ name: "two octets are not torn apart", line: `${"x".repeat(74)}é`, folded: `${"x".repeat(74)}\r\n é` },
		{ name: "three octets are not torn apart", line: `${"x".repeat(73)}漢`, folded: `${"x".repeat(73)}\r\n 漢` },
		{ name: "nor is a pair of surrogates", line: `${"x".repeat(72)}😀`, folded: `${"x".repeat(72)}\r\n 😀` },
		{ name: "a character that just fits stays", line: `${"x".repeat(71)}😀`, folded: `${"x".repeat(71)}😀` },
	];
	test.each(cases)("$name", ({ line, folded }) => {
		expect(foldedLine(line)).toBe(folded);
	});

	test("of any text gives lines of 75 octets at most, whole characters, and the text back", () => {
		fc.assert(
			fc.property(fc.string({ unit: "grapheme", maxLength: 400 }), (text) => {
				const line = `SUMMARY:${escapedText(text)}`;
				const folded = foldedLine(line);
				expect(folded.replaceAll("\r\n ", "")).toBe(line);
				for (const piece of folded.split("\r\n")) {
					expect(octetsOf(piece)).toBeLessThanOrEqual(75);
					expect(piece.isWellFormed()).toBe(true);
				}
			}),
		);
	});
});
