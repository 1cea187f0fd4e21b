import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import type { EncodedFrame } from "../../../media/encoded-frame.ts";
import { FlvFrameReader } from "../../../media/flv/frame-reader.ts";
import { FlvFrameWriter } from "../../../media/flv/frame-writer.ts";
import { TAG_TYPE, type TagType } from "../../../media/flv/tag.ts";
import { FlvTagReader } from "../../../media/flv/tag-reader.ts";
import { flvHeader, flvTagBytes } from "../../../media/flv/tag-writer.ts";
import { UnsupportedCodecError } from "../../../media/flv/unsupported-codec-error.ts";
import { concat, hex } from "./hex.ts";

const NOTHING = new Uint8Array(0);
const AVCC = hex("0142c01e ff e1 0004 6742c01e 01 0002 68cb");

function tag(type: TagType, timestampMs: number, body: string) {
	return { type, timestampMs, body: hex(body) };
}

/** One frame and the bodies that carry it. */
const ROWS: readonly { name: string; frame: EncodedFrame; bodies: readonly string[] }[] = [
	{
		name: "an AVC configuration alone",
		frame: { track: "video", codec: "avc", keyFrame: true, ptsUs: 0, dtsUs: 0, data: NOTHING, config: AVCC },
		bodies: ["17 00 000000 0142c01e ff e1 0004 6742c01e 01 0002 68cb"],
	},
	{
		name: "a reordered AVC frame",
		frame: { track: "video", codec: "avc", keyFrame: false, ptsUs: 160_000, dtsUs: 80_000, data: hex("0000000141") },
		bodies: ["27 01 000050 0000000141"],
	},
	{
		name: "an AVC frame shown before it is decoded",
		frame: { track: "video", codec: "avc", keyFrame: false, ptsUs: 40_000, dtsUs: 80_000, data: hex("0000000141") },
		bodies: ["27 01 ffffd8 0000000141"],
	},
	{
		name: "an AV1 key frame",
		frame: { track: "video", codec: "av1", keyFrame: true, ptsUs: 5_000, dtsUs: 5_000, data: hex("1200") },
		bodies: ["91 61763031 1200"],
	},
	{
		name: "a VP9 configuration alone",
		frame: { track: "video", codec: "vp9", keyFrame: true, ptsUs: 0, dtsUs: 0, data: NOTHING, config: hex("0100") },
		bodies: ["90 76703039 0100"],
	},
	{
		name: "an AAC frame",
		frame: { track: "audio", codec: "aac", keyFrame: true, ptsUs: 21_000, dtsUs: 21_000, data: hex("2100") },
		bodies: ["af 01 2100"],
	},
	{
		name: "an Opus frame",
		frame: { track: "audio", codec: "opus", keyFrame: true, ptsUs: 20_000, dtsUs: 20_000, data: hex("fc") },
		bodies: ["91 4f707573 fc"],
	},
];

describe.each(ROWS)("$name", ({ frame, bodies }) => {
	const type = frame.track === "video" ? TAG_TYPE.video : TAG_TYPE.audio;
	const tags = bodies.map((body) => tag(type, frame.dtsUs / 1000, body));

	test("is read from its tags", () => {
		const reader = new FlvFrameReader();
		expect(tags.flatMap((each) => reader.push(each))).toEqual([frame]);
	});

	test("is written as its tags", () => {
		expect(new FlvFrameWriter().push(frame)).toEqual(tags);
	});
});

describe("FlvFrameWriter", () => {
	test("puts a sequence header before the frame that brings a configuration", () => {
		const data = hex("1234");
		const audio = { track: "audio", codec: "aac", keyFrame: true, ptsUs: 1000, dtsUs: 1000 } as const;
		expect(new FlvFrameWriter().push({ ...audio, data, config: hex("1190") })).toEqual([
			tag(8, 1, "af 00 1190"),
			tag(8, 1, "af 01 1234"),
		]);
		const video = { track: "video", codec: "avc", keyFrame: true, ptsUs: 1000, dtsUs: 1000 } as const;
		expect(new FlvFrameWriter().push({ ...video, data, config: AVCC }).map(({ body }) => body[1])).toEqual([0, 1]);
	});

	test("rounds to milliseconds and wraps in both directions", () => {
		const audio = { track: "audio", codec: "opus", keyFrame: true, data: hex("fc") } as const;
		const writer = new FlvFrameWriter();
		const timesUs = [1_499, 1_500, 2 ** 32 * 1000 + 7_000, -3_000];
		const written = timesUs.flatMap((us) => writer.push({ ...audio, ptsUs: us, dtsUs: us }));
		expect(written.map(({ timestampMs }) => timestampMs)).toEqual([1, 2, 7, 2 ** 32 - 3]);
	});

	test("refuses a presentation time that the format cannot say", () => {
		const video = { track: "video", codec: "avc", keyFrame: true, dtsUs: 0, data: hex("00") } as const;
		expect(() => new FlvFrameWriter().push({ ...video, ptsUs: 9_000_000_000 })).toThrow(RangeError);
	});
});

describe("FlvFrameReader", () => {
	test("keeps both tracks on one time line across 2^32", () => {
		const reader = new FlvFrameReader();
		const frames = [
			tag(9, 2 ** 32 - 10, "17 01 000000 0000000165"),
			tag(8, 5, "af 01 2100"),
			tag(9, 2 ** 32 - 2, "27 01 000000 0000000141"),
			tag(8, 26, "af 01 2100"),
		].flatMap((each) => reader.push(each));
		const base = 2 ** 32 * 1000;
		expect(frames.map(({ dtsUs }) => dtsUs)).toEqual([base - 10_000, base + 5_000, base - 2_000, base + 26_000]);
	});

	test("gives no frame for scripts, ends, commands, empty and skipped tags, and lets scripts not move time", () => {
		const reader = new FlvFrameReader();
		reader.push(tag(8, 2 ** 32 - 1, "af 01 2100"));
		const silent = [
			tag(18, 0, "02"),
			tag(18, 2 ** 31 - 2, "02"),
			tag(9, 0, "17 02 000000"),
			tag(9, 0, "57 00"),
			tag(9, 0, ""),
			tag(8, 0, ""),
			tag(8, 0, "91 4f707573"),
			tag(9, 0, "96 01 61766331 01 00"),
		];
		expect(silent.flatMap((each) => reader.push(each))).toEqual([]);
		expect(reader.push(tag(8, 1, "af 01 2100"))[0]?.ptsUs).toBe((2 ** 32 + 1) * 1000);
	});

	test.each([
		["1-byte", "fc", "01 65 02 4142"],
		["2-byte", "fd", "0001 65 0002 4142"],
	])("rewrites %s NAL lengths as 4 bytes, in the configuration and in the frames", (_, sizeByte, data) => {
		const reader = new FlvFrameReader();
		const [config] = reader.push(tag(9, 0, `17 00 000000 0142c01e ${sizeByte} e1 0004 6742c01e 01 0002 68cb`));
		expect(config).toMatchObject({ config: AVCC });
		const [frame] = reader.push(tag(9, 0, `17 01 000000 ${data}`));
		expect(frame).toMatchObject({ data: hex("00000001 65 00000002 4142") });
	});

	test("leaves a configuration with 4-byte lengths as it is, byte for byte", () => {
		const body = hex("17 00 000000 0142c01e ff e1 0004 6742c01e 01 0002 68cb 0badf00d");
		const [frame] = new FlvFrameReader().push({ type: 9, timestampMs: 0, body });
		expect(frame?.config).toEqual(body.subarray(5));
	});

	test("refuses an AVC configuration that is none", () => {
		expect(() => new FlvFrameReader().push(tag(9, 0, "17 00 000000"))).toThrow(MalformedError);
		expect(() => new FlvFrameReader().push(tag(9, 0, "17 00 000000 02"))).toThrow(
			"avc: expected configuration version 1, got 2",
		);
	});

	test("throws nothing but the two errors for any tags", () => {
		const start = fc.constantFrom("", "1700000000", "1701000000", "2701000000", "1700000000014200", "906176633101");
		const anyTag = fc.record({
			type: fc.constantFrom(8 as const, 9 as const),
			timestampMs: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
			body: fc.tuple(start, fc.uint8Array({ maxLength: 40 })).map(([head, rest]) => concat(hex(head), rest)),
		});
		fc.assert(
			fc.property(fc.array(anyTag, { maxLength: 8 }), (tags) => {
				const reader = new FlvFrameReader();
				for (const each of tags) {
					try {
						reader.push(each);
					} catch (error) {
						expect(error instanceof MalformedError || error instanceof UnsupportedCodecError).toBe(true);
					}
				}
			}),
			{ numRuns: 1000 },
		);
	});
});

test("any frames come back from the bytes they were written as", () => {
	const timeMs = fc.integer({ min: 0, max: 2 ** 31 - 1 });
	const data = fc.uint8Array({ minLength: 1, maxLength: 50 });
	const video = fc
		.record({
			codec: fc.constantFrom("avc", "vp8", "vp9", "av1"),
			keyFrame: fc.boolean(),
			timeMs,
			data,
			cts: fc.nat(500),
		})
		.map(({ codec, keyFrame, timeMs: ms, data: bytes, cts }): EncodedFrame => {
			const ptsUs = (ms + (codec === "avc" ? cts - 250 : 0)) * 1000;
			return { track: "video", codec, keyFrame, ptsUs, dtsUs: ms * 1000, data: bytes };
		});
	const audio = fc
		.record({ codec: fc.constantFrom("aac", "opus"), timeMs, data })
		.map(({ codec, timeMs: ms, data: bytes }): EncodedFrame => {
			return { track: "audio", codec, keyFrame: true, ptsUs: ms * 1000, dtsUs: ms * 1000, data: bytes };
		});
	fc.assert(
		fc.property(fc.array(fc.oneof(video, audio), { maxLength: 20 }), (frames) => {
			const writer = new FlvFrameWriter();
			const bytes = concat(flvHeader(), ...frames.flatMap((frame) => writer.push(frame)).map(flvTagBytes));
			const reader = new FlvFrameReader();
			expect(new FlvTagReader().push(bytes).flatMap((each) => reader.push(each))).toEqual(frames);
		}),
	);
});
