import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Pps, parsePps } from "../../../media/avc/pps.ts";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { hex, prefixes } from "./hex.ts";
import { ppsNal } from "./pps-bits.ts";

const PLAIN: Pps = {
	id: 0,
	spsId: 0,
	entropyCoding: "cavlc",
	bottomFieldPicOrderPresent: false,
	weightedPrediction: false,
	weightedBiprediction: 0,
	deblockingControlPresent: false,
	redundantPicCountPresent: false,
};

const ROWS: readonly { readonly name: string; readonly bytes: Uint8Array; readonly value: Pps }[] = [
	{
		// 1 1 0 0 1 1 1 0 00 1 1 1 1 0 0 1
		name: "of Baseline with deblocking told",
		bytes: hex("68 ce 3c 80"),
		value: { ...PLAIN, deblockingControlPresent: true },
	},
	{
		// 1 1 1 0 1 011 1 1 10, qp −3, qs 0, chroma −2, 1 0 0, transform 8×8
		name: "of x264 in High, as ffmpeg reads it",
		bytes: hex("68 ebe3cb22c0"),
		value: {
			...PLAIN,
			entropyCoding: "cabac",
			weightedPrediction: true,
			weightedBiprediction: 2,
			deblockingControlPresent: true,
		},
	},
	{
		name: "everything on and large",
		bytes: ppsNal({
			id: 255,
			spsId: 31,
			cabac: true,
			bottomFieldPicOrderPresent: true,
			refIndexes: [31, 31],
			weightedPrediction: true,
			weightedBiprediction: 1,
			initialQuantisers: [-26, 25, -12],
			deblockingControlPresent: true,
			redundantPicCountPresent: true,
		}),
		value: {
			id: 255,
			spsId: 31,
			entropyCoding: "cabac",
			bottomFieldPicOrderPresent: true,
			weightedPrediction: true,
			weightedBiprediction: 1,
			deblockingControlPresent: true,
			redundantPicCountPresent: true,
		},
	},
];

describe.each(ROWS)("PPS: $name", ({ bytes, value }) => {
	test("is read", () => {
		expect(parsePps(bytes)).toEqual(value);
	});

	test("is refused when cut before its last byte", () => {
		for (const cut of prefixes(bytes.subarray(0, -1))) {
			if (cut.byteLength < 3 || value.id === 255) {
				expect(() => parsePps(cut)).toThrow(MalformedError);
			}
		}
	});
});

test.each([
	["another NAL unit", hex("67ce3c80"), "pps: expected NAL type 8, got 7"],
	["several slice groups", ppsNal({ sliceGroups: 2 }), "pps: expected one slice group, got 2"],
	["an id of 256", ppsNal({ id: 256 }), "pps: expected an id of at most 255, got 256"],
	["a sequence parameter set 32", ppsNal({ spsId: 32 }), "sequence parameter set id of at most 31, got 32"],
	["a reference index of 32", ppsNal({ refIndexes: [0, 32] }), "a reference index of at most 31, got 32"],
	["biprediction of kind 3", ppsNal({ weightedBiprediction: 3 }), "a weighted biprediction of 0 to 2, got 3"],
])("%s is refused", (_, nal, message) => {
	expect(() => parsePps(nal)).toThrow(MalformedError);
	expect(() => parsePps(nal)).toThrow(message);
});

test("any bytes throw nothing but MalformedError", () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
			try {
				expect(parsePps(Uint8Array.from([0x68, ...bytes])).id).toBeLessThan(256);
			} catch (error) {
				expect(error).toBeInstanceOf(MalformedError);
			}
		}),
		{ numRuns: 2000 },
	);
});
