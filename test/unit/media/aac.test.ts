import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	type AudioSpecificConfig,
	aacCodecString,
	parseAudioSpecificConfig,
	writeAudioSpecificConfig,
} from "../../../media/aac/audio-specific-config.ts";
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
		expect(silentAacFrame(1)).toEqual(hex("00000007"));
		expect(silentAacFrame(2)).toEqual(hex("21000000001c"));
		expect(AAC_FRAME_SAMPLES).toBe(1024);
	});

	test("is a new array each time", () => {
		silentAacFrame(2).fill(0xff);
		expect(silentAacFrame(2)).toEqual(hex("21000000001c"));
	});

	test.each([1, 2] as const)("of %d channels reads as one element without spectrum and an end", (channels) => {
		const bits = new BitReader(silentAacFrame(channels));
		expect(bits.bits(3)).toBe(channels - 1); // id_syn_ele: SCE, CPE
		expect(bits.bits(4)).toBe(0); // element_instance_tag
		if (channels === 2) {
			expect(bits.flag()).toBe(true); // common_window
			readIcsInfo(bits);
			expect(bits.bits(2)).toBe(0); // ms_mask_present
		}
		for (let channel = 0; channel < channels; channel += 1) {
			bits.bits(8); // global_gain
			if (channels === 1) {
				readIcsInfo(bits);
			}
			expect(bits.bits(3)).toBe(0); // pulse, tns, gain control
		}
		expect(bits.bits(3)).toBe(7); // END
		expect(bits.remaining).toBeLessThan(8);
	});
});

function readIcsInfo(bits: BitReader): void {
	expect(bits.bits(1 + 2)).toBe(0); // reserved, ONLY_LONG_SEQUENCE
	bits.flag(); // window_shape
	expect(bits.bits(6)).toBe(0); // max_sfb
	expect(bits.flag()).toBe(false); // predictor_data_present
}
