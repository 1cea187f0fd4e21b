import { describe, expect, test } from "vitest";
import { DecodeLead } from "../../../../playout/person/decode-lead.ts";

/** The latest answer after `count` pictures. */
function leadAfter(lead: DecodeLead, count: number, decodeMs: number, spareMs = 0): number | undefined {
	let answer: number | undefined;
	for (let index = 0; index < count; index += 1) {
		answer = lead.note(decodeMs, spareMs) ?? answer;
	}
	return answer;
}

describe("DecodeLead", () => {
	test("answers every 30th picture, with a margin", () => {
		const lead = new DecodeLead();
		expect(leadAfter(lead, 29, 5)).toBeUndefined();
		expect(lead.note(5, 0)).toBe(8);
		expect(leadAfter(lead, 29, 5)).toBeUndefined();
	});

	test("asks for no more than the margin when reordered frames have the time to spare anyway", () => {
		expect(leadAfter(new DecodeLead(), 30, 60, 66)).toBe(3);
		expect(leadAfter(new DecodeLead(), 30, 80, 66)).toBe(17);
	});

	test("takes no notice of the rarest delays, and follows a lasting change within two seconds", () => {
		const lead = new DecodeLead();
		lead.note(500, 0);
		expect(leadAfter(lead, 59, 5)).toBe(8);
		expect(leadAfter(lead, 60, 40)).toBe(43);
		expect(leadAfter(lead, 60, 5)).toBe(8);
	});
});
