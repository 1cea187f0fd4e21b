import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AvcConfig } from "../../../media/avc/avc-config.ts";
import { idrPicIdOf, withIdrPicId } from "../../../media/avc/idr-pic-id.ts";
import { avccData, avccNalUnits, nalUnitType } from "../../../media/avc/nal-units.ts";
import { nalToRbsp, rbspToNal } from "../../../media/avc/rbsp.ts";
import { repeatedIdr, unshiftingIdrPicIds } from "../../../media/avc/repeated-idr.ts";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { concat, hex, prefixes } from "./hex.ts";
import { bitText, type IdrSliceFields, idrSliceNal } from "./idr-bits.ts";
import { IDR_PICTURES } from "./idr-pictures.ts";
import { ppsNal } from "./pps-bits.ts";
import { spsNal } from "./sps-bits.ts";

/** One id of each length of code, and both ends of some. */
const IDS = [0, 1, 2, 3, 6, 7, 15, 30, 31, 100, 255, 510, 1000, 2047, 5000, 16_383, 40_000, 65_534, 65_535];
/** Moved by two bits, it is full of what needs emulation prevention: zeros, ones and threes. */
const ZEROS = bitText(hex("00000001 000003 0000 0c 0000 04 00 0000 08 00000000 03"));
const WORDS = bitText(hex("9a5f0000 0100 0003 000002 55"));

const SLICES: readonly { readonly name: string; readonly slices: readonly IdrSliceFields[] }[] = [
	{ name: "CAVLC", slices: [{ sps: {}, pps: {}, data: "1011" }] },
	{ name: "CAVLC full of zeros", slices: [{ sps: {}, pps: {}, data: ZEROS }] },
	{
		name: "CAVLC whose picture order is decoding order",
		slices: [{ sps: { picOrderCountType: 2, log2MaxFrameNum: 16 }, pps: {}, data: WORDS }],
	},
	{ name: "CABAC", slices: [{ sps: {}, pps: { cabac: true }, data: WORDS }] },
	{ name: "CABAC full of zeros", slices: [{ sps: {}, pps: { cabac: true }, data: ZEROS }] },
	{
		name: "CABAC with cabac_zero_words at its end",
		slices: [{ sps: {}, pps: { cabac: true }, data: `${WORDS}${"0".repeat(32)}` }],
	},
	{
		name: "CABAC with all that a header may hold",
		slices: [
			{
				sps: { log2MaxFrameNum: 13, log2MaxPicOrderCountLsb: 16, progressive: false },
				pps: {
					cabac: true,
					bottomFieldPicOrderPresent: true,
					deblockingControlPresent: true,
					redundantPicCountPresent: true,
				},
				picOrderCountLsb: 40_000,
				deltas: [0, -77],
				quantiserDelta: -17,
				deblocking: 2,
				data: WORDS,
			},
		],
	},
	{
		name: "CABAC without deblocking",
		slices: [{ sps: {}, pps: { cabac: true, deblockingControlPresent: true }, deblocking: 1, data: WORDS }],
	},
	{
		name: "a field each, top and bottom, CABAC",
		slices: (["top", "bottom"] as const).map((field) => ({
			sps: { progressive: false },
			pps: { cabac: true, bottomFieldPicOrderPresent: true },
			field,
			data: WORDS,
		})),
	},
	{
		name: "a bottom field by differences to a cycle, CAVLC",
		slices: [
			{
				sps: { progressive: false, picOrderCountType: 1 },
				pps: { bottomFieldPicOrderPresent: true },
				field: "bottom",
				deltas: [5, 0],
				data: WORDS,
			},
		],
	},
	{
		name: "a frame by differences to a cycle, CABAC",
		slices: [
			{
				sps: { picOrderCountType: 1 },
				pps: { cabac: true, bottomFieldPicOrderPresent: true },
				deltas: [-9, 3],
				data: WORDS,
			},
		],
	},
	{
		name: "no differences to a cycle, CABAC",
		slices: [{ sps: { picOrderCountType: 1, deltaAlwaysZero: true }, pps: { cabac: true }, data: WORDS }],
	},
	{
		name: "three planes on their own, CABAC",
		slices: [0, 1, 2].map((colourPlane) => ({
			sps: { profileIdc: 244, chroma: { formatIdc: 3, separatePlanes: true } },
			pps: { cabac: true },
			colourPlane,
			data: WORDS,
		})),
	},
	{
		name: "slices of types 2, 4, 7 and 9, CAVLC",
		slices: [2, 4, 7, 9].map((sliceType, index) => ({
			sps: {},
			pps: {},
			sliceType,
			firstMacroblock: index * 900,
			data: WORDS,
		})),
	},
];

function configOf({ sps, pps }: IdrSliceFields, lengthSize: AvcConfig["lengthSize"] = 4): AvcConfig {
	return { profile: 77, compatibility: 0, level: 31, lengthSize, sps: [spsNal(sps)], pps: [ppsNal(pps)] };
}

function sampleOf(slices: readonly IdrSliceFields[], idrPicId: number, lengthSize: AvcConfig["lengthSize"] = 4) {
	const before = [hex("0910"), hex("0605 04 deadbeef 80")]; // access unit delimiter, SEI
	return avccData([...before, ...slices.map((slice) => idrSliceNal(slice, idrPicId))], lengthSize);
}

function firstOf(slices: readonly IdrSliceFields[]): IdrSliceFields {
	return slices[0] ?? expect.fail("expected a slice, got none");
}

/** Bytes where a cut sample is a whole one of fewer NAL units. */
function nalBoundaries(sample: Uint8Array, lengthSize: AvcConfig["lengthSize"]): Set<number> {
	let at = 0;
	const ends = [...avccNalUnits(sample, lengthSize)].map((nal) => {
		at += lengthSize + nal.byteLength;
		return at;
	});
	return new Set([0, ...ends]);
}

describe.each(SLICES)("$name", ({ slices }) => {
	const config = configOf(firstOf(slices));

	test.each([4, 2, 1] as const)("any id becomes any other, with lengths of %d bytes", (lengthSize) => {
		const sized = { ...config, lengthSize };
		for (const from of IDS) {
			const sample = sampleOf(slices, from, lengthSize);
			expect(idrPicIdOf(sample, sized)).toBe(from);
			for (const to of IDS) {
				expect(withIdrPicId(sample, sized, to)).toEqual(sampleOf(slices, to, lengthSize));
			}
		}
	});

	test("is refused when cut at any byte but between NAL units", () => {
		const sample = sampleOf(slices, 3);
		const boundaries = nalBoundaries(sample, 4);
		for (const cut of prefixes(sample)) {
			if (!boundaries.has(cut.byteLength)) {
				expect(() => withIdrPicId(cut, config, 1)).toThrow(MalformedError);
			}
		}
	});

	test("a slice cut within its header is refused, whatever its length says", () => {
		const nal = idrSliceNal({ ...firstOf(slices), data: "" }, 3);
		for (const cut of prefixes(nal.subarray(0, -1))) {
			expect(() => withIdrPicId(avccData([cut], 4), config, 1)).toThrow(
				cut.byteLength === 0 ? "got none" : MalformedError,
			);
		}
	});

	test("throws nothing but MalformedError with bytes changed", () => {
		const sample = sampleOf(slices, 3);
		fc.assert(
			fc.property(fc.nat(sample.byteLength - 1), fc.nat(255), fc.nat(65_535), (at, byte, idrPicId) => {
				throwsMalformedOnly(sample.with(at, byte), config, idrPicId);
			}),
			{ numRuns: 300 },
		);
	});
});

function throwsMalformedOnly(sample: Uint8Array, config: AvcConfig, idrPicId: number): void {
	try {
		expect(idrPicIdOf(withIdrPicId(sample, config, idrPicId), config)).toBe(idrPicId);
	} catch (error) {
		expect(error).toBeInstanceOf(MalformedError);
	}
}

describe.each(IDR_PICTURES)("a picture of $name", ({ config, sample }) => {
	const original = idrPicIdOf(sample, config) ?? expect.fail("expected an IDR picture, got none");

	test("comes back byte for byte when its own id does", () => {
		expect(withIdrPicId(sample, config, original)).toEqual(sample);
		for (const idrPicId of IDS) {
			const changed = withIdrPicId(sample, config, idrPicId);
			expect(idrPicIdOf(changed, config)).toBe(idrPicId);
			expect(withIdrPicId(changed, config, original)).toEqual(sample);
		}
	});

	test("is repeated under two other ids, whole bytes longer at most", () => {
		const [first, second] = repeatedIdr(sample, config) ?? expect.fail("expected two pictures, got none");
		const ids = [original, idrPicIdOf(first, config), idrPicIdOf(second, config)];
		expect(new Set(ids).size).toBe(3);
		const slices = [...avccNalUnits(sample)].filter((nal) => nalUnitType(nal) === 5).length;
		expect(first.byteLength - sample.byteLength).toBeLessThanOrEqual(2 * slices);
		expect(withIdrPicId(first, config, original)).toEqual(sample);
	});

	test("is refused when cut at any byte but between NAL units", () => {
		const boundaries = nalBoundaries(sample, config.lengthSize);
		for (const cut of prefixes(sample)) {
			if (!boundaries.has(cut.byteLength)) {
				expect(() => withIdrPicId(cut, config, 1)).toThrow(MalformedError);
			}
		}
	});

	test("throws nothing but MalformedError with bytes changed", () => {
		fc.assert(
			fc.property(fc.nat(Math.min(sample.byteLength, 80) - 1), fc.nat(255), fc.nat(65_535), (at, byte, idrPicId) => {
				throwsMalformedOnly(sample.with(at, byte), config, idrPicId);
			}),
			{ numRuns: 300 },
		);
	});
});

describe("an access unit", () => {
	const slice: IdrSliceFields = { sps: {}, pps: {}, data: "1011" };
	const config = configOf(slice);

	test("without an IDR slice has no id, and cannot get one", () => {
		const sample = avccData([hex("0910"), hex("41 9a 24 6c")], 4);
		expect(idrPicIdOf(sample, config)).toBeUndefined();
		expect(repeatedIdr(sample, config)).toBeUndefined();
		expect(() => withIdrPicId(sample, config, 1)).toThrow("avc: expected an IDR slice, got none");
	});

	test("may bring the parameter sets it goes by, which stand before the configuration's", () => {
		const inBand: IdrSliceFields = { sps: { log2MaxFrameNum: 12 }, pps: { cabac: true }, data: WORDS };
		const sets = [spsNal(inBand.sps), ppsNal(inBand.pps)];
		const sample = avccData([...sets, idrSliceNal(inBand, 4)], 4);
		expect(idrPicIdOf(sample, config)).toBe(4);
		expect(withIdrPicId(sample, config, 900)).toEqual(avccData([...sets, idrSliceNal(inBand, 900)], 4));
	});

	test("keeps what is no IDR slice, such as the second field of a picture, and empty NAL units", () => {
		const other = hex("41 9a 24 6c 000003 00");
		const sample = avccData([idrSliceNal(slice, 0), new Uint8Array(0), other], 4);
		expect(withIdrPicId(sample, config, 9)).toEqual(avccData([idrSliceNal(slice, 9), new Uint8Array(0), other], 4));
	});

	test("may have zeros after its slices", () => {
		const nal = idrSliceNal(slice, 0);
		const sample = avccData([concat(nal, hex("0000"))], 4);
		expect(withIdrPicId(sample, config, 9)).toEqual(avccData([idrSliceNal(slice, 9)], 4));
	});

	const cabac: IdrSliceFields = { sps: {}, pps: { cabac: true }, data: WORDS };
	test.each([
		[
			"a P slice in an IDR picture",
			{ ...slice, sliceType: 5 },
			"an intra slice (type 2, 4, 7 or 9) in an IDR picture, got 5",
		],
		["a slice type of 12", { ...slice, sliceType: 12 }, "got 12"],
		["an IDR slice that is no reference", { ...slice, nalRefIdc: 0 }, "to be a reference, got nal_ref_idc 0"],
		["a picture parameter set that did not come", { ...slice, pps: { id: 7 } }, "a picture parameter set 7, got none"],
		["CAVLC without data", { ...slice, data: "" }, "expected data and a stop bit"],
		["CABAC without data", { ...cabac, data: "" }, "expected data after its header, got none"],
	] as const)("with %s is refused", (_, fields, message) => {
		const sample = avccData([idrSliceNal(fields, 0)], 4);
		const sets = configOf(fields.pps.id === undefined ? fields : slice);
		expect(() => withIdrPicId(sample, sets, 1)).toThrow(MalformedError);
		expect(() => withIdrPicId(sample, sets, 1)).toThrow(message);
	});

	test("with an id past 65535 is refused, read or asked for", () => {
		const sample = avccData([idrSliceNal(slice, 65_536)], 4);
		expect(() => idrPicIdOf(sample, config)).toThrow("expected an idr_pic_id of at most 65535, got 65536");
		for (const idrPicId of [-1, 1.5, 65_536, Number.NaN]) {
			expect(() => withIdrPicId(sampleOf([slice], 0), config, idrPicId)).toThrow(RangeError);
		}
	});

	test("whose alignment before CABAC data is not ones is refused", () => {
		const nal = idrSliceNal(cabac, 0);
		const rbsp = nalToRbsp(nal.subarray(1));
		const changed = Array.from(rbsp, (byte, index) =>
			rbspToNal(0x65, index === 2 ? rbsp.with(index, byte & 0xfe) : rbsp),
		);
		expect(() => withIdrPicId(avccData(changed, 4), configOf(cabac), 1)).toThrow("cabac_alignment_one_bits");
	});

	test("whose sequence parameter set did not come is refused", () => {
		expect(() => idrPicIdOf(sampleOf([slice], 0), { ...config, sps: [] })).toThrow(
			"expected a sequence parameter set 0, got none",
		);
	});

	test("whose slice grows past what its length can say is refused", () => {
		const long = { ...slice, data: "1".repeat(8 * 251) };
		const sized = configOf(long, 1);
		expect(idrPicIdOf(sampleOf([long], 0, 1), sized)).toBe(0);
		expect(() => withIdrPicId(sampleOf([long], 0, 1), sized, 65_535)).toThrow(
			"expected a NAL unit of at most 255 bytes",
		);
	});

	test("of any bytes throws nothing but MalformedError", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, hasHeader) => {
				const nal = hasHeader ? concat(hex("65"), bytes) : bytes;
				throwsMalformedOnly(hasHeader ? avccData([nal], 4) : nal, config, 7);
			}),
			{ numRuns: 2000 },
		);
	});
});

test("ids that shift nothing are two others whose codes differ by whole bytes, for every id", () => {
	const codeBits = (id: number) => 2 * (31 - Math.clz32(id + 1)) + 1;
	for (let idrPicId = 0; idrPicId <= 65_535; idrPicId += 1) {
		const [first, second] = unshiftingIdrPicIds(idrPicId);
		const isApart = first !== second && first !== idrPicId && second !== idrPicId;
		const isInRange = Math.min(first, second) >= 0 && Math.max(first, second) <= 65_535;
		const shifts = [first, second].map((id) => Math.abs(codeBits(id) - codeBits(idrPicId)) % 8);
		if (!isApart || !isInRange || shifts.some((shift) => shift !== 0)) {
			expect.fail(`expected two other ids of code lengths that fit, got ${first} and ${second} for ${idrPicId}`);
		}
	}
});

test("emulation prevention is put in where the specification says, and taken out again", () => {
	expect(rbspToNal(0x65, hex("0000 00 000001 000002 000003 000004 0000"))).toEqual(
		hex("65 000003 000003 00 01 000003 02 000003 03 000004 000003"),
	);
	const bytes = fc.array(fc.constantFrom(0, 0, 0, 1, 2, 3, 4, 255), { maxLength: 60 });
	fc.assert(
		fc.property(bytes, (values) => {
			const nal = rbspToNal(0x65, Uint8Array.from(values));
			expect(nalToRbsp(nal.subarray(1))).toEqual(Uint8Array.from(values));
			expect(Buffer.from(nal).toString("hex")).not.toMatch(/^(..)*0000(00|01|02)/);
		}),
		{ numRuns: 2000 },
	);
});
