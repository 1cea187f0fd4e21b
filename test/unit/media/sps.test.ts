import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nalToRbsp } from "../../../media/avc/rbsp.ts";
import { parseSps, type Sps } from "../../../media/avc/sps.ts";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { hex, prefixes } from "./hex.ts";
import { type SpsFields, spsNal } from "./sps-bits.ts";

/** Taken from streams that x264 made; ffprobe says of them what stands here. */
const X264: readonly { name: string; bytes: string; value: Partial<Sps> }[] = [
	{
		name: "Constrained Baseline 640×360 at 25, cropped from 368 lines",
		bytes: "6742c01ed900a02ff97011000003000100000300320f162e48",
		value: { width: 640, height: 360, profileIdc: 66, levelIdc: 30, frameRate: 25, maxReorderFrames: 0 },
	},
	{
		name: "High 1920×1080 at 30 with B-frames, cropped from 1088 lines",
		bytes: "67640028acd940780227e5c044000003000400000300f03c60c658",
		value: { width: 1920, height: 1080, profileIdc: 100, levelIdc: 40, frameRate: 30, maxReorderFrames: 2 },
	},
	{
		name: "High 1920×1080 interlaced at 25 with buffer parameters",
		bytes: "67640028acd94078044fde022000000300200000064c080005b8d8000b71bc98601f162d96",
		value: { width: 1920, height: 1080, progressive: false, frameRate: 25, maxReorderFrames: 2 },
	},
	{
		name: "Main 854×480 at 30000/1001, cropped from 864 columns",
		bytes: "674d401feca06c1ef37808800001f480007530078c18cb",
		value: { width: 854, height: 480, profileIdc: 77, frameRate: 30000 / 1001, maxReorderFrames: 2 },
	},
	{
		name: "High 10 Intra",
		bytes: "676e101fa6cb80a00b76022000000300200000064080",
		value: { width: 1280, height: 720, bitDepthLuma: 10, bitDepthChroma: 10, maxReorderFrames: 0 },
	},
	{
		name: "High 4:2:2",
		bytes: "677a0020bcd9405005bb0110000003001000000640f1831960",
		value: { width: 1280, height: 720, chromaFormatIdc: 2, frameRate: 50 },
	},
	{
		name: "High 4:4:4 of 102×98, cropped by single samples",
		bytes: "67f4000b919b28e7f171f808800000030080000032078a14cb",
		value: { width: 102, height: 98, chromaFormatIdc: 3, profileIdc: 244 },
	},
	{
		name: "anamorphic 720×576",
		bytes: "6764001eacd940b4126ffc010000b440000003004000000c83c58b6580",
		value: { width: 720, height: 576, sampleAspectRatio: { width: 64, height: 45 } },
	},
];

test.each(X264)("$name", ({ bytes, value }) => {
	expect(parseSps(hex(bytes))).toMatchObject(value);
});

const BUILT: readonly { name: string; fields: SpsFields; value: Partial<Sps> }[] = [
	{ name: "no VUI: frame rate and reordering unknown", fields: {}, value: { width: 1280, height: 720 } },
	{
		name: "picture order by decoding order: nothing is reordered",
		fields: { picOrderCountType: 2 },
		value: { maxReorderFrames: 0 },
	},
	{ name: "Baseline: nothing is reordered", fields: { profileIdc: 66 }, value: { maxReorderFrames: 0 } },
	{
		name: "High with the intra flag: nothing is reordered",
		fields: { profileIdc: 100, constraintFlags: 0x10 },
		value: { maxReorderFrames: 0 },
	},
	{
		name: "VUI has the last word on reordering",
		fields: { profileIdc: 66, reorderFrames: 3 },
		value: { maxReorderFrames: 3 },
	},
	{ name: "picture order of type 1", fields: { picOrderCountType: 1 }, value: { width: 1280, height: 720 } },
	{
		name: "what heads of slices need: ids and lengths",
		fields: { id: 31, log2MaxFrameNum: 16, log2MaxPicOrderCountLsb: 16 },
		value: { id: 31, log2MaxFrameNum: 16, picOrderCount: { type: 0, log2MaxLsb: 16 }, separateColourPlanes: false },
	},
	{
		name: "what heads of slices need: differences to a cycle",
		fields: { log2MaxFrameNum: 9, picOrderCountType: 1 },
		value: { id: 0, log2MaxFrameNum: 9, picOrderCount: { type: 1, deltaAlwaysZero: false } },
	},
	{
		name: "what heads of slices need: no differences to a cycle",
		fields: { picOrderCountType: 1, deltaAlwaysZero: true },
		value: { log2MaxFrameNum: 4, picOrderCount: { type: 1, deltaAlwaysZero: true } },
	},
	{
		name: "what heads of slices need: planes on their own",
		fields: { profileIdc: 244, chroma: { formatIdc: 3, separatePlanes: true }, picOrderCountType: 2 },
		value: { separateColourPlanes: true, picOrderCount: { type: 2 } },
	},
	{ name: "crop on all four sides", fields: { crop: [1, 2, 3, 4] }, value: { width: 1274, height: 706 } },
	{
		name: "crop of fields, in steps of four lines",
		fields: { progressive: false, heightMapUnits: 34, widthMacroblocks: 120, crop: [0, 0, 0, 2] },
		value: { width: 1920, height: 1080, progressive: false },
	},
	{
		name: "crop of 4:2:2, by single lines",
		fields: { profileIdc: 122, chroma: { formatIdc: 2 }, crop: [0, 1, 0, 1] },
		value: { width: 1278, height: 719 },
	},
	{
		name: "crop of monochrome, by single samples",
		fields: { profileIdc: 100, chroma: { formatIdc: 0 }, crop: [0, 1, 0, 1] },
		value: { width: 1279, height: 719, chromaFormatIdc: 0 },
	},
	{
		name: "separate planes and twelve scaling lists",
		fields: { profileIdc: 244, chroma: { formatIdc: 3, separatePlanes: true, scalingLists: true }, crop: [0, 1, 0, 1] },
		value: { width: 1279, height: 719, bitDepthLuma: 8, bitDepthChroma: 10 },
	},
	{
		name: "eight scaling lists",
		fields: { profileIdc: 100, chroma: { formatIdc: 1, scalingLists: true } },
		value: { width: 1280, height: 720 },
	},
	{
		name: "a frame rate after every optional field, with both buffer models",
		fields: { timing: [1001, 60000], hrd: true, aspectRatioIdc: 255, reorderFrames: 1 },
		value: { frameRate: 30000 / 1001, maxReorderFrames: 1, sampleAspectRatio: { width: 64, height: 45 } },
	},
	{
		name: "a time scale past 2^31",
		fields: { timing: [2 ** 26, 2 ** 32 - 2 ** 27] },
		value: { frameRate: 31 },
	},
	{
		name: "an aspect ratio by number",
		fields: { aspectRatioIdc: 14 },
		value: { sampleAspectRatio: { width: 4, height: 3 } },
	},
];

describe.each(BUILT)("$name", ({ fields, value }) => {
	const nal = spsNal(fields);

	test("is read", () => {
		expect(parseSps(nal)).toMatchObject(value);
	});

	test("is refused when cut at any byte but the last", () => {
		// The last byte may hold nothing but the stop bit.
		for (const cut of prefixes(nal.subarray(0, -1))) {
			expect(() => parseSps(cut)).toThrow(MalformedError);
		}
	});
});

test.each([
	["no timing in VUI", { reorderFrames: 0 }],
	["ticks of 0", { timing: [0, 60] }],
	["a time scale of 0", { timing: [1, 0] }],
] as const)("%s gives no frame rate", (_, fields) => {
	expect(parseSps(spsNal(fields)).frameRate).toBeUndefined();
});

test.each([0, 200])("aspect ratio number %d gives no aspect ratio", (aspectRatioIdc) => {
	expect(parseSps(spsNal({ aspectRatioIdc })).sampleAspectRatio).toBeUndefined();
});

test.each([
	["another NAL unit", hex("68cb"), "sps: expected NAL type 7, got 8"],
	["a side past every level", spsNal({ widthMacroblocks: 1056 }), "a width of at most 1055 macroblocks, got 1056"],
	[
		"cropping of everything",
		spsNal({ crop: [0, 640, 0, 0] }),
		"sps: expected cropping within 1280×720, got 1280 and 0",
	],
	["an id of 32", spsNal({ id: 32 }), "sps: expected an id of at most 31, got 32"],
	["a frame number of 17 bits", spsNal({ log2MaxFrameNum: 17 }), "a frame number of at most 16 bits, got 17"],
	[
		"a picture order count of 17 bits",
		spsNal({ log2MaxPicOrderCountLsb: 17 }),
		"a picture order count of at most 16 bits, got 17",
	],
	["a chroma format of 4", spsNal({ profileIdc: 100, chroma: { formatIdc: 4 } }), "a chroma format of 0 to 3, got 4"],
] as const)("%s is refused", (_, nal, message) => {
	expect(() => parseSps(nal)).toThrow(MalformedError);
	expect(() => parseSps(nal)).toThrow(message);
});

test("emulation prevention bytes are taken out, and no other 03", () => {
	expect(nalToRbsp(hex("000003 01 000003 000003 03 0003 000003"))).toEqual(hex("0000 01 0000 0000 03 0003 0000"));
});

test("any bytes, and any SPS with bytes changed, throw nothing but MalformedError", () => {
	const changed = fc
		.tuple(fc.constantFrom(...BUILT), fc.nat(60), fc.nat(255))
		.map(([{ fields }, at, byte]) => spsNal(fields).map((old, index) => (index === at ? byte : old)));
	fc.assert(
		fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), changed), (bytes) => {
			try {
				const sps = parseSps(bytes);
				expect(sps.width).toBeGreaterThan(0);
				expect(sps.height).toBeGreaterThan(0);
			} catch (error) {
				expect(error).toBeInstanceOf(MalformedError);
			}
		}),
		{ numRuns: 3000 },
	);
});
