import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	type AudioSpecificConfig,
	aacCodecString,
	parseAudioSpecificConfig,
	writeAudioSpecificConfig,
} from "../../../media/aac/audio-specific-config.ts";
import { aacFrameDurationUs } from "../../../media/aac/frame-duration.ts";
import { AAC_FRAME_SAMPLES, silentAacFrame } from "../../../media/aac/silence.ts";
import { BitReader } from "../../../media/bytes/bit-reader.ts";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { concat, hex, prefixes } from "./hex.ts";

const ROWS: readonly {
	readonly name: string;
	readonly value: AudioSpecificConfig;
	readonly bytes: Uint8Array;
	/** Tandem writes this form itself. */
	readonly written: boolean;
	/** Bytes after which a cut leaves a whole configuration; all of them unless said. */
	readonly neededBytes?: number;
}[] = [
	{
		name: "AAC-LC 48 kHz stereo",
		value: { objectType: 2, sampleRate: 48000, channels: 2 },
		bytes: hex("1190"),
		written: true,
	},
	{
		name: "AAC-LC 44.1 kHz stereo",
		value: { objectType: 2, sampleRate: 44100, channels: 2 },
		bytes: hex("1210"),
		written: true,
	},
	{
		name: "AAC-LC 48 kHz mono",
		value: { objectType: 2, sampleRate: 48000, channels: 1 },
		bytes: hex("1188"),
		written: true,
	},
	{
		name: "AAC-LC 8 kHz mono",
		value: { objectType: 2, sampleRate: 8000, channels: 1 },
		bytes: hex("1588"),
		written: true,
	},
	{
		name: "AAC-LC 48 kHz 7.1, whose configuration is 7",
		value: { objectType: 2, sampleRate: 48000, channels: 8 },
		bytes: hex("11b8"),
		written: true,
	},
	{
		// 00010 1111 (24 bits of 44056) 0010 000
		name: "AAC-LC at a rate without an index",
		value: { objectType: 2, sampleRate: 44056, channels: 2 },
		bytes: hex("1780560c10"),
		written: true,
	},
	{
		// 00010 0011 0010 1 0 0: 960-sample frames
		name: "AAC-LC with 960-sample frames",
		value: { objectType: 2, sampleRate: 48000, channels: 2 },
		bytes: hex("1194"),
		written: false,
	},
	{
		// 00101 0110 0010 0011 00010 000
		name: "HE-AAC of 24 kHz core, signalled first",
		value: { objectType: 5, sampleRate: 48000, channels: 2 },
		bytes: hex("2b118800"),
		written: false,
		neededBytes: 4,
	},
	{
		// 11101 0110 0001 0011 00010 000
		name: "HE-AAC v2 of mono core, which comes out as stereo",
		value: { objectType: 29, sampleRate: 48000, channels: 2 },
		bytes: hex("eb098800"),
		written: false,
		neededBytes: 4,
	},
	{
		// 00010 0110 0010 000, 01010110111 00101 1 0011
		name: "HE-AAC signalled after a plain core",
		value: { objectType: 2, sampleRate: 48000, channels: 2 },
		bytes: hex("1310 56e598"),
		written: false,
		neededBytes: 5,
	},
	{
		// 00010 0011 0010 000, 01010110111 00101 0: there is none
		name: "AAC-LC that says it has no band replication, as ffmpeg writes it",
		value: { objectType: 2, sampleRate: 48000, channels: 2 },
		bytes: hex("1190 56e500"),
		written: false,
		neededBytes: 2,
	},
	{
		// 00010 0011 0000 000 | 0000 01 0011 0001 0000 0001 01 000 0000 0 0 0 | 1 0000 | 0 0000 | 0000 | comment of 0 bytes
		name: "channels told by a program config element: a pair, a single behind, a low-frequency one",
		value: { objectType: 2, sampleRate: 48000, channels: 4 },
		bytes: hex("1180 04c405002000 00"),
		written: false,
	},
];

describe.each(ROWS)("AudioSpecificConfig: $name", ({ value, bytes, written, neededBytes }) => {
	test("is read", () => {
		expect(parseAudioSpecificConfig(bytes)).toEqual(value);
	});

	if (written) {
		test("is written", () => {
			expect(writeAudioSpecificConfig(value)).toEqual(bytes);
		});
	}

	test("is refused when cut within what it needs, or read as the core alone", () => {
		for (const cut of prefixes(bytes.subarray(0, neededBytes ?? bytes.byteLength))) {
			const coreIsWhole = cut.byteLength >= 2 && value.objectType === 2 && neededBytes === 5;
			if (!coreIsWhole) {
				expect(() => parseAudioSpecificConfig(cut)).toThrow(MalformedError);
			}
		}
	});
});

describe("AudioSpecificConfig", () => {
	test.each([
		["a reserved sampling index", "1690", "aac: expected a sampling frequency index of 0 to 12 or 15, got 13"],
		["a rate of 0", "178000000010", "got 15"],
		["a reserved channel configuration", "11c0", "aac: expected a channel configuration with channels, got 8"],
	])("refuses %s", (_, bytes, message) => {
		expect(() => parseAudioSpecificConfig(hex(bytes))).toThrow(MalformedError);
		expect(() => parseAudioSpecificConfig(hex(bytes))).toThrow(message);
	});

	test.each([
		["HE-AAC", { objectType: 5, sampleRate: 48000, channels: 2 }],
		["7 channels", { objectType: 2, sampleRate: 48000, channels: 7 }],
		["no channels", { objectType: 2, sampleRate: 48000, channels: 0 }],
	])("does not write %s", (_, config) => {
		expect(() => writeAudioSpecificConfig(config)).toThrow(RangeError);
	});

	test("what is written is read back", () => {
		const config = fc.record({
			objectType: fc.integer({ min: 1, max: 4 }),
			sampleRate: fc.oneof(fc.constantFrom(48000, 44100, 22050), fc.integer({ min: 1, max: 0xffffff })),
			channels: fc.constantFrom(1, 2, 3, 4, 5, 6, 8),
		});
		fc.assert(
			fc.property(config, (value) => {
				expect(parseAudioSpecificConfig(writeAudioSpecificConfig(value))).toEqual(value);
			}),
		);
	});

	test("any bytes throw nothing but MalformedError", () => {
		const start = fc.constantFrom("", "1180", "2b1188", "eb0988", "131056", "f8");
		fc.assert(
			fc.property(start, fc.uint8Array({ maxLength: 30 }), (head, rest) => {
				try {
					expect(parseAudioSpecificConfig(concat(hex(head), rest)).channels).toBeGreaterThan(0);
				} catch (error) {
					expect(error).toBeInstanceOf(MalformedError);
				}
			}),
			{ numRuns: 2000 },
		);
	});

	test("names its codec", () => {
		expect(aacCodecString({ objectType: 2 })).toBe("mp4a.40.2");
		expect(aacCodecString({ objectType: 29 })).toBe("mp4a.40.29");
	});
});

describe("silentAacFrame", () => {
	test("is the bytes that ffmpeg decodes to 1024 zeros", () => {
		expect(silentAacFrame(hex("1188"))).toEqual(hex("00000007"));
		expect(silentAacFrame(hex("1190"))).toEqual(hex("21000000001c"));
		expect(AAC_FRAME_SAMPLES).toBe(1024);
	});

	test("is a new array each time", () => {
		silentAacFrame(hex("1190"))?.fill(0xff);
		expect(silentAacFrame(hex("1190"))).toEqual(hex("21000000001c"));
	});

	test.each([
		{ channels: 1, elements: ["0.0"] },
		{ channels: 2, elements: ["1.0"] },
		{ channels: 3, elements: ["0.0", "1.0"] },
		{ channels: 4, elements: ["0.0", "1.0", "0.1"] },
		{ channels: 5, elements: ["0.0", "1.0", "1.1"] },
		{ channels: 6, elements: ["0.0", "1.0", "1.1", "3.0"] },
		{ channels: 8, elements: ["0.0", "1.0", "1.1", "1.2", "3.0"] },
	])("of $channels channels reads as elements without spectrum and an end", ({ channels, elements }) => {
		const config = writeAudioSpecificConfig({ objectType: 2, sampleRate: 44100, channels });
		const bits = new BitReader(silentAacFrame(config) ?? expect.fail("expected a frame, got none"));
		expect(elements.map(() => readSilentElement(bits))).toEqual(elements);
		expect(bits.bits(3)).toBe(7); // END
		expect(bits.remaining).toBeLessThan(8);
	});

	test.each([
		["HE-AAC is its core's", "2b118800", "1190"],
		["HE-AAC signalled after its core is its core's", "1310 56e598", "1190"],
		["HE-AAC v2 is its mono core's", "eb098800", "1188"],
		["960-sample frames is no other", "1194", "1190"],
	])("of %s", (_, config, same) => {
		expect(silentAacFrame(hex(config))).toEqual(silentAacFrame(hex(same)));
	});

	test.each([
		["AAC Main", "0990"],
		["AAC-LTP", "2190"],
		["channels told by a program config element", "1180 04c405002000 00"],
		["a channel configuration past 7", "11d8"],
	])("of %s is not known", (_, config) => {
		expect(silentAacFrame(hex(config))).toBeUndefined();
	});

	test("refuses what is no configuration", () => {
		expect(() => silentAacFrame(hex("11"))).toThrow(MalformedError);
	});
});

describe("aacFrameDurationUs", () => {
	test.each([
		["AAC-LC at 48 kHz", "1190", (1024 * 1e6) / 48000],
		["AAC-LC at 44.1 kHz", "1210", (1024 * 1e6) / 44100],
		["AAC-LC at 32 kHz", "1290", 32_000],
		["AAC-LC with 960-sample frames", "1194", 20_000],
		["AAC-LC at a rate without an index", "1780560c10", (1024 * 1e6) / 44056],
		["HE-AAC, whose frames come out as 2048 samples", "2b118800", (2048 * 1e6) / 48000],
		["HE-AAC signalled after its core", "1310 56e598", (2048 * 1e6) / 48000],
		["HE-AAC v2", "eb098800", (2048 * 1e6) / 48000],
		["AAC-LD, of 512 samples", "b990", (512 * 1e6) / 48000],
	])("of %s", (_, config, durationUs) => {
		expect(aacFrameDurationUs(hex(config))).toBeCloseTo(durationUs, 6);
	});

	test("is not known without a general audio configuration", () => {
		expect(aacFrameDurationUs(hex("f8e640"))).toBeUndefined(); // 39, enhanced low delay
	});

	test("refuses what is no configuration", () => {
		expect(() => aacFrameDurationUs(hex("11"))).toThrow(MalformedError);
	});
});

/** Gives id_syn_ele and element_instance_tag. */
function readSilentElement(bits: BitReader): string {
	const element = bits.bits(3);
	const name = `${element}.${bits.bits(4)}`;
	const isPair = element === 1;
	if (isPair) {
		expect(bits.flag()).toBe(true); // common_window
		readIcsInfo(bits);
		expect(bits.bits(2)).toBe(0); // ms_mask_present
	}
	for (let channel = 0; channel < (isPair ? 2 : 1); channel += 1) {
		bits.bits(8); // global_gain
		if (!isPair) {
			readIcsInfo(bits);
		}
		expect(bits.bits(3)).toBe(0); // pulse, tns, gain control
	}
	return name;
}

function readIcsInfo(bits: BitReader): void {
	expect(bits.bits(1 + 2)).toBe(0); // reserved, ONLY_LONG_SEQUENCE
	bits.flag(); // window_shape
	expect(bits.bits(6)).toBe(0); // max_sfb
	expect(bits.flag()).toBe(false); // predictor_data_present
}
