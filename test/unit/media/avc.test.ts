import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { annexBToAvcc, avccToAnnexB, withFourByteLengths } from "../../../media/avc/annex-b.ts";
import { type AvcConfig, avcCodecString, parseAvcConfig, writeAvcConfig } from "../../../media/avc/avc-config.ts";
import { annexBNalUnits, avccNalUnits, NAL_TYPE, nalUnitType } from "../../../media/avc/nal-units.ts";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { concat, hex, prefixes } from "./hex.ts";

const CONFIGS: readonly { readonly name: string; readonly value: AvcConfig; readonly bytes: Uint8Array }[] = [
	{
		name: "Constrained Baseline 3.0",
		value: {
			profile: 66,
			compatibility: 0xc0,
			level: 30,
			lengthSize: 4,
			sps: [hex("6742c01ed9")],
			pps: [hex("68cb83cb20")],
		},
		bytes: hex("01 42 c0 1e ff e1 0005 6742c01ed9 01 0005 68cb83cb20"),
	},
	{
		name: "High 4.0 with its extension",
		value: {
			profile: 100,
			compatibility: 0,
			level: 40,
			lengthSize: 4,
			sps: [hex("67640028")],
			pps: [hex("68eb")],
			extension: { chromaFormat: 1, bitDepthLuma: 8, bitDepthChroma: 8, spsExtensions: [] },
		},
		bytes: hex("01 64 00 28 ff e1 0004 67640028 01 0002 68eb fd f8 f8 00"),
	},
	{
		name: "High 4.0 without its extension, as many encoders leave it",
		value: {
			profile: 100,
			compatibility: 0,
			level: 40,
			lengthSize: 4,
			sps: [hex("67640028")],
			pps: [hex("68eb")],
		},
		bytes: hex("01 64 00 28 ff e1 0004 67640028 01 0002 68eb"),
	},
	{
		name: "High 4:2:2 of 10 bits with an SPS extension",
		value: {
			profile: 122,
			compatibility: 0,
			level: 32,
			lengthSize: 4,
			sps: [hex("677a0020")],
			pps: [],
			extension: { chromaFormat: 2, bitDepthLuma: 10, bitDepthChroma: 10, spsExtensions: [hex("6d01")] },
		},
		bytes: hex("01 7a 00 20 ff e1 0004 677a0020 00 fe fa fa 01 0002 6d01"),
	},
	{
		name: "2-byte lengths and several parameter sets",
		value: {
			profile: 77,
			compatibility: 0x40,
			level: 31,
			lengthSize: 2,
			sps: [hex("67"), hex("6701")],
			pps: [hex("68"), hex("6801"), hex("680203")],
		},
		bytes: hex("01 4d 40 1f fd e2 0001 67 0002 6701 03 0001 68 0002 6801 0003 680203"),
	},
];

describe.each(CONFIGS)("avcC: $name", ({ value, bytes }) => {
	test("is read", () => {
		expect(parseAvcConfig(bytes)).toEqual(value);
	});

	test("is written", () => {
		expect(writeAvcConfig(value)).toEqual(bytes);
	});

	test("is refused when cut at any byte, but for an extension cut off", () => {
		const { extension: _, ...withoutExtension } = value;
		const shortest = writeAvcConfig(withoutExtension).byteLength;
		for (const cut of prefixes(bytes)) {
			if (cut.byteLength >= shortest && cut.byteLength < shortest + 4) {
				expect(parseAvcConfig(cut)).toEqual(withoutExtension);
			} else {
				expect(() => parseAvcConfig(cut)).toThrow(MalformedError);
			}
		}
	});

	test("throws nothing but MalformedError with bytes changed", () => {
		fc.assert(
			fc.property(fc.nat(bytes.byteLength - 1), fc.nat(255), (at, byte) => {
				try {
					parseAvcConfig(bytes.with(at, byte));
				} catch (error) {
					expect(error).toBeInstanceOf(MalformedError);
				}
			}),
		);
	});
});

describe("avcC", () => {
	test.each([
		["version 0", "00 42 c0 1e ff e0 00", "avc: expected configuration version 1, got 0"],
		["3-byte lengths", "01 42 c0 1e fe e0 00", "avc: expected NAL lengths of 1, 2 or 4 bytes, got 3"],
		["a PPS where the SPS belongs", "01 42 c0 1e ff e1 0001 68 00", "parameter set of NAL type 7, got 8"],
		["an empty parameter set", "01 42 c0 1e ff e1 0000 00", "expected 1 more bytes"],
	])("refuses %s", (_, bytes, message) => {
		expect(() => parseAvcConfig(hex(bytes))).toThrow(MalformedError);
		expect(() => parseAvcConfig(hex(bytes))).toThrow(message);
	});

	test("refuses to write more parameter sets than it can count", () => {
		const config = CONFIGS[0]?.value as AvcConfig;
		expect(() => writeAvcConfig({ ...config, sps: new Array(32).fill(hex("67")) })).toThrow(RangeError);
		expect(() => writeAvcConfig({ ...config, pps: [new Uint8Array(65536)] })).toThrow(RangeError);
	});

	test("names its codec", () => {
		expect(CONFIGS.map(({ value }) => avcCodecString(value))).toEqual([
			"avc1.42C01E",
			"avc1.640028",
			"avc1.640028",
			"avc1.7A0020",
			"avc1.4D401F",
		]);
	});
});

const ACCESS_UNITS = [
	{
		name: "one slice after a 4-byte start code",
		annexB: "00000001 6588",
		nals: ["6588"],
	},
	{
		name: "parameter sets and a slice, start codes of 3 and 4 bytes",
		annexB: "00000001 6742c01e 000001 68cb 00000001 6588",
		nals: ["6742c01e", "68cb", "6588"],
	},
	{
		name: "zeros before, between and after",
		annexB: "0000 00000001 09f0 000000 000001 4199 0000",
		nals: ["09f0", "4199"],
	},
	{
		name: "two start codes with nothing between",
		annexB: "000001 000001 4199",
		nals: ["4199"],
	},
	{
		name: "ones and zeros within a unit",
		annexB: "000001 4101 0001 01 000301",
		nals: ["4101000101000301"],
	},
] as const;

describe.each(ACCESS_UNITS)("access unit: $name", ({ annexB, nals }) => {
	const units = nals.map(hex);

	test("is taken apart", () => {
		expect([...annexBNalUnits(hex(annexB))]).toEqual(units);
	});

	test("becomes AVCC and Annex B again", () => {
		const avcc = annexBToAvcc(hex(annexB));
		expect([...avccNalUnits(avcc)]).toEqual(units);
		expect(avccToAnnexB(avcc)).toEqual(concat(...units.flatMap((nal) => [hex("00000001"), nal])));
	});

	test("is refused as AVCC when cut within a unit", () => {
		const avcc = annexBToAvcc(hex(annexB));
		const wholeUnits = units.map(
			(_, count) => annexBToAvcc(concat(...withStartCodes(units.slice(0, count)))).byteLength,
		);
		for (const cut of prefixes(avcc).filter(({ byteLength }) => !wholeUnits.includes(byteLength))) {
			expect(() => avccToAnnexB(cut)).toThrow(MalformedError);
		}
	});
});

function withStartCodes(nals: readonly Uint8Array[]): Uint8Array[] {
	return nals.flatMap((nal) => [hex("000001"), nal]);
}

test("AVCC lengths of 1 and 2 bytes are read", () => {
	expect([...avccNalUnits(hex("01 65 02 4142"), 1)]).toEqual([hex("65"), hex("4142")]);
	expect([...avccNalUnits(hex("0001 65 0002 4142"), 2)]).toEqual([hex("65"), hex("4142")]);
	expect(withFourByteLengths(hex("0001 65"), 2)).toEqual(hex("00000001 65"));
	const four = hex("00000001 65");
	expect(withFourByteLengths(four, 4)).toBe(four);
});

test("an empty AVCC unit is kept as AVCC and left out of Annex B", () => {
	expect([...avccNalUnits(hex("00000000 00000001 65"))]).toEqual([hex(""), hex("65")]);
	expect(avccToAnnexB(hex("00000000 00000001 65"))).toEqual(hex("00000001 65"));
});

test("bytes that do not begin with a start code are no Annex B", () => {
	expect(() => annexBToAvcc(hex("41 000001 65"))).toThrow("avc: expected a start code 00 00 01 first, got other bytes");
	expect(() => annexBToAvcc(hex("0000"))).toThrow(MalformedError);
	expect(annexBToAvcc(hex(""))).toEqual(hex(""));
});

test("a NAL unit tells its type, and an empty one has none", () => {
	expect(nalUnitType(hex("65"))).toBe(NAL_TYPE.idrSlice);
	expect(() => nalUnitType(hex(""))).toThrow(MalformedError);
});

test("any NAL units survive AVCC, Annex B and AVCC again", () => {
	// A NAL unit holds no 00 00 00/01/02 (emulation prevention) and does not end with 00.
	const nal = fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 255 })).map(([bytes, last]) =>
		concat(
			hex("41"),
			bytes.map((byte) => (byte === 0 ? 4 : byte)),
			Uint8Array.of(last),
		),
	);
	fc.assert(
		fc.property(fc.array(nal, { maxLength: 8 }), (nals) => {
			const avcc = annexBToAvcc(concat(...withStartCodes(nals)));
			expect([...avccNalUnits(avcc)]).toEqual(nals);
			expect(annexBToAvcc(avccToAnnexB(avcc))).toEqual(avcc);
		}),
	);
});

test("any bytes throw nothing but MalformedError", () => {
	const size = fc.constantFrom(1 as const, 2 as const, 4 as const);
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 60 }), size, (bytes, lengthSize) => {
			for (const parse of [
				() => parseAvcConfig(bytes),
				() => avccToAnnexB(bytes, lengthSize),
				() => annexBToAvcc(bytes),
			]) {
				try {
					parse();
				} catch (error) {
					expect(error).toBeInstanceOf(MalformedError);
				}
			}
		}),
		{ numRuns: 1000 },
	);
});
