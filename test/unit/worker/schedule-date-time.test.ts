import { expect, test } from "vitest";
import { dateTimeMs } from "../../../worker/api/date-time.ts";

const SAME = Date.UTC(2027, 0, 31, 18, 0, 0);

const TIMES: readonly [text: string, timeMs: number | undefined][] = [
	["2027-01-31T18:00:00Z", SAME],
	["2027-01-31t18:00:00z", SAME],
	["2027-01-31T19:00:00+01:00", SAME],
	["2027-02-01T08:00:00+14:00", SAME],
	["2027-01-31T06:00:00-12:00", SAME],
	["2027-01-31T18:00:00-00:00", SAME],
	["2027-01-31T23:45:00+05:45", SAME],
	["2027-01-31T18:00:00.25Z", SAME + 250],
	["2027-01-31T18:00:00.999999999Z", SAME + 999],
	["2027-01-31T18:00:00.001Z", SAME + 1],
	["2028-02-29T00:00:00Z", Date.UTC(2028, 1, 29)],
	["2026-12-31T23:59:60Z", Date.UTC(2027, 0, 1)],
	["2027-01-01T00:59:60+01:00", Date.UTC(2027, 0, 1)],
	["2026-12-31T15:59:60-08:00", Date.UTC(2027, 0, 1)],
	["2027-01-31T18:00:60Z", undefined],
	["2027-01-31T18:00:61Z", undefined],
	["2027-02-29T00:00:00Z", undefined],
	["2027-04-31T00:00:00Z", undefined],
	["2027-13-01T00:00:00Z", undefined],
	["2027-00-01T00:00:00Z", undefined],
	["2027-01-31T24:00:00Z", undefined],
	["2027-01-31T18:60:00Z", undefined],
	["2027-01-31T18:00:00+24:00", undefined],
	["2027-01-31T18:00:00+0100", undefined],
	["2027-01-31T18:00:00", undefined],
	["2027-01-31T18:00Z", undefined],
	["2027-01-31 18:00:00Z", undefined],
	["2027-01-31", undefined],
	["+002027-01-31T18:00:00Z", undefined],
	[`2027-01-31T18:00:00.${"0".repeat(40)}Z`, undefined],
	["tomorrow", undefined],
	["", undefined],
];

test.each(TIMES)("%s", (text, timeMs) => {
	expect(dateTimeMs(text)).toBe(timeMs);
});
