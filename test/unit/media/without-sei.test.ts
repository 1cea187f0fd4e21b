import { describe, expect, test } from "vitest";
import { avccData } from "../../../media/avc/nal-units.ts";
import { withoutSei } from "../../../media/avc/without-sei.ts";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { hex, prefixes } from "./hex.ts";

const DELIMITER = hex("0910");
const SEI = hex("06 05 04 deadbeef 80");
const SLICE = hex("65 88 84 00 33");

describe.each([1, 2, 4] as const)("withoutSei, lengths of %d bytes", (lengthSize) => {
	test.each([
		["SEI before and between slices", [DELIMITER, SEI, SLICE, SEI, SEI, SLICE], [DELIMITER, SLICE, SLICE]],
		["an empty NAL unit", [new Uint8Array(0), SLICE], [SLICE]],
		["SEI alone", [SEI], []],
		["nothing at all", [], []],
	])("leaves out %s", (_, before, after) => {
		expect(withoutSei(avccData(before, lengthSize), lengthSize)).toEqual(avccData(after, lengthSize));
	});

	test("gives the same bytes back where there is none", () => {
		const sample = avccData([DELIMITER, SLICE], lengthSize);
		expect(withoutSei(sample, lengthSize)).toBe(sample);
	});

	test("refuses what is cut within a NAL unit", () => {
		const sample = avccData([SEI, SLICE], lengthSize);
		for (const cut of prefixes(sample)) {
			if (cut.byteLength !== 0 && cut.byteLength !== lengthSize + SEI.byteLength) {
				expect(() => withoutSei(cut, lengthSize)).toThrow(MalformedError);
			}
		}
	});
});
