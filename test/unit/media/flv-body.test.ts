import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { type AudioBody, audioConfigBody, audioFrameBody, parseAudioBody } from "../../../media/flv/audio-body.ts";
import { TAG_TYPE, type TagType } from "../../../media/flv/tag.ts";
import { tagCodec, tagKind } from "../../../media/flv/tag-kind.ts";
import { UnsupportedCodecError } from "../../../media/flv/unsupported-codec-error.ts";
import {
	parseVideoBody,
	type VideoBody,
	videoConfigBody,
	videoEndBody,
	videoFrameBody,
} from "../../../media/flv/video-body.ts";
import { concat, hex, prefixes } from "./hex.ts";

interface Row<T> {
	readonly name: string;
	readonly value: T;
	readonly bytes: Uint8Array;
	/** Bytes before the part that is taken as it comes: a cut in them is found out. */
	readonly headBytes: number;
	/** Where Tandem writes this form itself. */
	readonly written?: () => Uint8Array;
}

/** FourCCs in hexadecimal: avc1, hvc1, vp08, vp09, av01; Opus, mp4a. */
const VIDEO_ROWS: readonly Row<VideoBody>[] = [
	{
		name: "classic AVC sequence header",
		value: { kind: "video-config", codec: "avc", data: hex("0142c01e") },
		bytes: hex("17 00 000000 0142c01e"),
		headBytes: 5,
		written: () => videoConfigBody("avc", hex("0142c01e")),
	},
	{
		name: "classic AVC sequence header marked as an inter frame",
		value: { kind: "video-config", codec: "avc", data: hex("01") },
		bytes: hex("27 00 000000 01"),
		headBytes: 5,
	},
	{
		name: "classic AVC key frame",
		value: { kind: "video-key", codec: "avc", compositionTimeMs: 80, data: hex("0000000165") },
		bytes: hex("17 01 000050 0000000165"),
		headBytes: 5,
		written: () => videoFrameBody("avc", true, 80, hex("0000000165")),
	},
	{
		name: "classic AVC inter frame with a negative composition time",
		value: { kind: "video-inter", codec: "avc", compositionTimeMs: -40, data: hex("0000000141") },
		bytes: hex("27 01 ffffd8 0000000141"),
		headBytes: 5,
		written: () => videoFrameBody("avc", false, -40, hex("0000000141")),
	},
	{
		name: "classic AVC disposable frame",
		value: { kind: "video-inter", codec: "avc", compositionTimeMs: 0, data: hex("0000000101") },
		bytes: hex("37 01 000000 0000000101"),
		headBytes: 5,
	},
	{
		name: "classic AVC generated key frame",
		value: { kind: "video-key", codec: "avc", compositionTimeMs: 0, data: hex("0000000165") },
		bytes: hex("47 01 000000 0000000165"),
		headBytes: 5,
	},
	{
		name: "classic AVC end of sequence",
		value: { kind: "video-end", codec: "avc" },
		bytes: hex("17 02 000000"),
		headBytes: 5,
		written: () => videoEndBody("avc"),
	},
	{
		name: "classic AVC frame without data",
		value: { kind: "skip" },
		bytes: hex("27 01 000000"),
		headBytes: 5,
	},
	{ name: "classic command frame", value: { kind: "video-command" }, bytes: hex("57 00"), headBytes: 2 },
	{
		name: "Enhanced AVC sequence start",
		value: { kind: "video-config", codec: "avc", data: hex("0142") },
		bytes: hex("90 61766331 0142"),
		headBytes: 5,
	},
	{
		name: "Enhanced AVC coded frames with composition time",
		value: { kind: "video-inter", codec: "avc", compositionTimeMs: -1, data: hex("0000000141") },
		bytes: hex("a1 61766331 ffffff 0000000141"),
		headBytes: 8,
	},
	{
		name: "Enhanced AVC coded frames without composition time",
		value: { kind: "video-key", codec: "avc", compositionTimeMs: 0, data: hex("0000000165") },
		bytes: hex("93 61766331 0000000165"),
		headBytes: 5,
	},
	{
		name: "Enhanced VP8 key frame",
		value: { kind: "video-key", codec: "vp8", compositionTimeMs: 0, data: hex("9d012a") },
		bytes: hex("91 76703038 9d012a"),
		headBytes: 5,
		written: () => videoFrameBody("vp8", true, 0, hex("9d012a")),
	},
	{
		name: "Enhanced VP9 sequence start",
		value: { kind: "video-config", codec: "vp9", data: hex("01000000001f800202020000") },
		bytes: hex("90 76703039 01000000001f800202020000"),
		headBytes: 5,
		written: () => videoConfigBody("vp9", hex("01000000001f800202020000")),
	},
	{
		name: "Enhanced AV1 inter frame",
		value: { kind: "video-inter", codec: "av1", compositionTimeMs: 0, data: hex("1200") },
		bytes: hex("a1 61763031 1200"),
		headBytes: 5,
		written: () => videoFrameBody("av1", false, 0, hex("1200")),
	},
	{
		name: "Enhanced AV1 end of sequence",
		value: { kind: "video-end", codec: "av1" },
		bytes: hex("92 61763031"),
		headBytes: 5,
		written: () => videoEndBody("av1"),
	},
	{
		name: "Enhanced metadata (HDR)",
		value: { kind: "skip" },
		bytes: hex("d4 61763031 02000963"),
		headBytes: 5,
	},
	{
		name: "Enhanced MPEG-2 TS sequence start",
		value: { kind: "skip" },
		bytes: hex("95 61763031 8008"),
		headBytes: 5,
	},
	{ name: "Enhanced command frame", value: { kind: "video-command" }, bytes: hex("d0 01"), headBytes: 2 },
	{
		name: "Enhanced frame after ModEx (a nanosecond offset of 3 bytes)",
		value: { kind: "video-key", codec: "vp9", compositionTimeMs: 0, data: hex("82") },
		bytes: hex("97 02 000102 01 76703039 82"),
		headBytes: 10,
	},
	{
		name: "Enhanced frame after two ModEx blocks",
		value: { kind: "video-inter", codec: "av1", compositionTimeMs: 0, data: hex("12") },
		bytes: hex("a7 00 aa f7 01 bbcc 01 61763031 12"),
		headBytes: 12,
	},
	{
		name: "Enhanced frame after a ModEx block of 256 bytes, whose size takes 16 bits",
		value: { kind: "video-inter", codec: "av1", compositionTimeMs: 0, data: hex("12") },
		bytes: concat(hex("a7 ff 00ff"), new Uint8Array(256), hex("01 61763031 12")),
		headBytes: 4 + 256 + 5,
	},
	{
		name: "Enhanced multitrack: one track",
		value: { kind: "skip" },
		bytes: hex("96 01 61766331 01 000000 0000000165"),
		headBytes: 7,
	},
	{
		name: "Enhanced multitrack: two tracks of one codec",
		value: { kind: "skip" },
		bytes: hex("96 11 68766331 00 000002 aabb 01 000001 cc"),
		headBytes: 12, // after each track the tag might end
	},
	{
		name: "Enhanced multitrack: a codec each",
		value: { kind: "skip" },
		bytes: hex("96 20 76703039 00 000002 aabb 68766331 01 000001 cc"),
		headBytes: 12,
	},
	{ name: "video without a body", value: { kind: "skip" }, bytes: hex(""), headBytes: 0 },
];

const AUDIO_ROWS: readonly Row<AudioBody>[] = [
	{
		name: "classic AAC sequence header",
		value: { kind: "audio-config", codec: "aac", data: hex("1190") },
		bytes: hex("af 00 1190"),
		headBytes: 2,
		written: () => audioConfigBody("aac", hex("1190")),
	},
	{
		name: "classic AAC frame",
		value: { kind: "audio", codec: "aac", data: hex("21000000001c") },
		bytes: hex("af 01 21000000001c"),
		headBytes: 2,
		written: () => audioFrameBody("aac", hex("21000000001c")),
	},
	{
		name: "classic AAC frame that says mono, which means nothing",
		value: { kind: "audio", codec: "aac", data: hex("00000007") },
		bytes: hex("ae 01 00000007"),
		headBytes: 2,
	},
	{
		name: "classic AAC frame without data",
		value: { kind: "audio-empty", codec: "aac" },
		bytes: hex("af 01"),
		headBytes: 2,
	},
	{ name: "audio without a body", value: { kind: "audio-empty" }, bytes: hex(""), headBytes: 0 },
	{
		name: "Enhanced Opus sequence start",
		value: { kind: "audio-config", codec: "opus", data: hex("4f70757348656164") },
		bytes: hex("90 4f707573 4f70757348656164"),
		headBytes: 5,
		written: () => audioConfigBody("opus", hex("4f70757348656164")),
	},
	{
		name: "Enhanced Opus frame",
		value: { kind: "audio", codec: "opus", data: hex("fcfffe") },
		bytes: hex("91 4f707573 fcfffe"),
		headBytes: 5,
		written: () => audioFrameBody("opus", hex("fcfffe")),
	},
	{
		name: "Enhanced Opus frame of length 0",
		value: { kind: "audio-empty", codec: "opus" },
		bytes: hex("91 4f707573"),
		headBytes: 5,
	},
	{
		name: "Enhanced AAC sequence start",
		value: { kind: "audio-config", codec: "aac", data: hex("1190") },
		bytes: hex("90 6d703461 1190"),
		headBytes: 5,
	},
	{
		name: "Enhanced AAC frame",
		value: { kind: "audio", codec: "aac", data: hex("2100") },
		bytes: hex("91 6d703461 2100"),
		headBytes: 5,
	},
	{ name: "Enhanced end of sequence", value: { kind: "skip" }, bytes: hex("92 4f707573"), headBytes: 5 },
	{
		name: "Enhanced multichannel configuration",
		value: { kind: "skip" },
		bytes: hex("94 4f707573 01 02 00000003"),
		headBytes: 5,
	},
	{
		name: "Enhanced frame after ModEx",
		value: { kind: "audio", codec: "opus", data: hex("fc") },
		bytes: hex("97 02 000102 01 4f707573 fc"),
		headBytes: 10,
	},
	{
		name: "Enhanced multitrack: two tracks of one codec",
		value: { kind: "skip" },
		bytes: hex("95 11 6d703461 00 000002 aabb 01 000001 cc"),
		headBytes: 12,
	},
];

interface Track {
	readonly track: string;
	readonly type: TagType;
	readonly rows: readonly Row<VideoBody | AudioBody>[];
	parse(body: Uint8Array): VideoBody | AudioBody;
}

const TRACKS: readonly Track[] = [
	{ track: "video", type: TAG_TYPE.video, rows: VIDEO_ROWS, parse: parseVideoBody },
	{ track: "audio", type: TAG_TYPE.audio, rows: AUDIO_ROWS, parse: parseAudioBody },
];

describe.each(TRACKS)("$track body", ({ type, rows, parse }) => {
	test.each(rows)("$name is read", ({ value, bytes }) => {
		expect(parse(bytes)).toEqual(value);
		const tag = { type, timestampMs: 0, body: bytes };
		expect(tagKind(tag)).toBe(value.kind);
		expect(tagCodec(tag)).toBe("codec" in value ? value.codec : undefined);
	});

	test.each(rows.filter(({ written }) => written !== undefined))("$name is written", ({ bytes, written }) => {
		expect(written?.()).toEqual(bytes);
	});

	test.each(rows)("$name is refused when cut within its head", ({ bytes, headBytes }) => {
		for (const cut of prefixes(bytes.subarray(0, headBytes)).slice(1)) {
			expect(() => parse(cut)).toThrow(MalformedError);
		}
	});

	test("any bytes, and any row with bytes changed, throw nothing but the two errors", () => {
		const changed = fc
			.tuple(fc.constantFrom(...rows), fc.array(fc.tuple(fc.nat(20), fc.nat(255)), { maxLength: 3 }))
			.map(([row, changes]) => {
				const bytes = Uint8Array.from(row.bytes);
				for (const [at, byte] of changes) {
					bytes.set([byte].slice(0, Math.max(0, bytes.byteLength - at)), Math.min(at, bytes.byteLength));
				}
				return bytes;
			});
		fc.assert(
			fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), changed), (bytes) => {
				try {
					tagKind({ type, timestampMs: 0, body: bytes });
				} catch (error) {
					expect(error instanceof MalformedError || error instanceof UnsupportedCodecError).toBe(true);
				}
			}),
			{ numRuns: 2000 },
		);
	});
});

test.each([
	["classic HEVC", "1c 00 000000 01", "flv: expected H.264, VP8, VP9 or AV1 video, got HEVC (codec id 12)"],
	["classic H.263", "12 00", "flv: expected H.264, VP8, VP9 or AV1 video, got Sorenson H.263 (codec id 2)"],
	["an unknown codec id", "1f 00", "flv: expected H.264, VP8, VP9 or AV1 video, got an unknown codec (codec id 15)"],
	["Enhanced HEVC", "90 68766331 01", "flv: expected H.264, VP8, VP9 or AV1 video, got HEVC (hvc1)"],
	["Enhanced VVC", "91 76766331 01", "flv: expected H.264, VP8, VP9 or AV1 video, got VVC (vvc1)"],
	[
		"an unknown FourCC",
		"91 7a7a7a00 01",
		"flv: expected H.264, VP8, VP9 or AV1 video, got an unknown codec (0x7a7a7a00)",
	],
])("%s video is refused by name", (_, bytes, message) => {
	const parse = () => tagKind({ type: TAG_TYPE.video, timestampMs: 0, body: hex(bytes) });
	expect(parse).toThrow(UnsupportedCodecError);
	expect(parse).toThrow(message);
});

test.each([
	["MP3", "2f fffb", "flv: expected AAC or Opus audio, got MP3 (sound format 2)"],
	["Speex", "b6 00", "flv: expected AAC or Opus audio, got Speex (sound format 11)"],
	["Enhanced FLAC", "90 664c6143 00", "flv: expected AAC or Opus audio, got FLAC (fLaC)"],
	["Enhanced AC-3", "91 61632d33 00", "flv: expected AAC or Opus audio, got AC-3 (ac-3)"],
])("%s audio is refused by name", (_, bytes, message) => {
	const parse = () => tagKind({ type: TAG_TYPE.audio, timestampMs: 0, body: hex(bytes) });
	expect(parse).toThrow(UnsupportedCodecError);
	expect(parse).toThrow(message);
});

test.each([
	[TAG_TYPE.video, "frame type 0", "07 01 000000 00", "flv: expected video frame type 1 to 5, got 0"],
	[TAG_TYPE.video, "AVC packet type 3", "17 03 000000", "flv: expected AVC packet type 0, 1 or 2, got 3"],
	[TAG_TYPE.video, "packet type 8", "98 61766331", "flv: expected video packet type 0 to 7, got 8"],
	[TAG_TYPE.video, "multitrack type 3", "96 30 61766331 00", "flv: expected multitrack type 0, 1 or 2, got 3"],
	[TAG_TYPE.audio, "AAC packet type 2", "af 02", "flv: expected AAC packet type 0 or 1, got 2"],
	[TAG_TYPE.audio, "packet type 3", "93 4f707573", "flv: expected audio packet type 0, 1, 2, 4, 5 or 7, got 3"],
] as const)("type %d with %s is malformed", (type, _, bytes, message) => {
	const parse = () => tagKind({ type, timestampMs: 0, body: hex(bytes) });
	expect(parse).toThrow(MalformedError);
	expect(parse).toThrow(message);
});

test("a script is a script, whatever it holds", () => {
	const tag = { type: TAG_TYPE.script, timestampMs: 0, body: hex("ff") };
	expect(tagKind(tag)).toBe("script");
	expect(tagCodec(tag)).toBeUndefined();
});

test.each([0x7fffff, -0x7fffff])("a composition time of %d ms survives", (compositionTimeMs) => {
	expect(parseVideoBody(videoFrameBody("avc", true, compositionTimeMs, hex("00")))).toMatchObject({
		compositionTimeMs,
	});
});

test("a composition time that cannot be said is refused", () => {
	expect(() => videoFrameBody("avc", true, 0x800000, hex("00"))).toThrow(RangeError);
	expect(() => videoFrameBody("vp9", true, 1, hex("00"))).toThrow(RangeError);
});
