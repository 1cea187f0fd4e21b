import { expect, test } from "vitest";
import { DecodeLead } from "../../../../compositor-page/people/decode-lead.ts";

function leadAfter(pictures: readonly (readonly [decodeMs: number, spareMs: number])[]): number | undefined {
	const lead = new DecodeLead();
	let latest: number | undefined;
	for (let round = 0; round < 60; round += 1) {
		const [decodeMs, spareMs] = pictures[round % pictures.length] ?? [0, 0];
		latest = lead.note(decodeMs, spareMs) ?? latest;
	}
	return latest;
}

test("asks for what the decoder takes and a little more", () => {
	expect(leadAfter([[2, 0]])).toBe(5);
});

test("does not ask for what reordering leaves to spare anyway", () => {
	expect(leadAfter([[100, 100]])).toBe(3);
	expect(leadAfter([[40, 100]])).toBe(3);
});

test("asks for the time of the pictures that have none to spare", () => {
	expect(
		leadAfter([
			[100, 100],
			[70, 0],
			[70, 0],
		]),
	).toBe(73);
});

test("says nothing before it has seen a second of pictures", () => {
	const lead = new DecodeLead();
	expect(lead.note(50, 0)).toBeUndefined();
});
