import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { avccToAnnexB } from "../../../media/avc/annex-b.ts";
import { writeAvcConfig } from "../../../media/avc/avc-config.ts";
import { idrPicIdOf, withIdrPicId } from "../../../media/avc/idr-pic-id.ts";
import { avccData } from "../../../media/avc/nal-units.ts";
import { repeatedIdr } from "../../../media/avc/repeated-idr.ts";
import { BitWriter } from "../../../media/bytes/bit-writer.ts";
import { FlvFrameWriter } from "../../../media/flv/frame-writer.ts";
import { flvHeader, flvTagBytes } from "../../../media/flv/tag-writer.ts";
import { concat, hex } from "./hex.ts";
import { bitText, idrSliceNal } from "./idr-bits.ts";
import { firstPicture, IDR_PICTURES, type IdrPicture } from "./idr-pictures.ts";
import { ppsNal } from "./pps-bits.ts";
import { nalOf, se, spsNal, ue } from "./sps-bits.ts";

/** ffmpeg, which parses every field itself, judges what we wrote: each repeated picture is decoded to the same bits, each has its id. */

const REPEATS = 20;
const PICTURE_US = 500_000;
/** Codes of every length, so that data moves by every number of bits it can. */
const ALL_LENGTHS = [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 4095, 8191, 16_383, 32_767, 65_535, 2, 4, 8];

let directory = "";
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), "tandem-idr-"));
});
afterAll(() => {
	rmSync(directory, { recursive: true });
});

function ffmpeg(...args: readonly string[]): { readonly stdout: string; readonly stderr: string } {
	const run = spawnSync("ffmpeg", ["-hide_banner", "-nostdin", "-y", ...args], { maxBuffer: 2 ** 28 });
	const stderr = run.stderr.toString();
	expect(run.status, stderr).toBe(0);
	return { stdout: run.stdout.toString(), stderr };
}

function flvOf(picture: Omit<IdrPicture, "name">, samples: readonly Uint8Array[]): string {
	const writer = new FlvFrameWriter();
	const tags = samples.flatMap((data, index) => {
		const ptsUs = index * PICTURE_US;
		const video = { track: "video", codec: "avc", keyFrame: true, ptsUs, dtsUs: ptsUs } as const;
		return writer.push({ ...video, data, ...(index === 0 ? { config: picture.record } : {}) });
	});
	const file = join(directory, "pictures.flv");
	writeFileSync(file, concat(flvHeader(), ...tags.map(flvTagBytes)));
	return file;
}

function annexBOf({ config }: Omit<IdrPicture, "name">, samples: readonly Uint8Array[]): string {
	const sets = [...config.sps, ...config.pps].flatMap((nal) => [hex("00000001"), nal]);
	const file = join(directory, "pictures.h264");
	writeFileSync(file, concat(...sets, ...samples.map((sample) => avccToAnnexB(sample, config.lengthSize))));
	return file;
}

/** A hash of every picture; any complaint of the decoder fails. */
function pictureHashes(file: string): string[] {
	const strict = ["-v", "warning", "-xerror", "-err_detect", "explode+bitstream+buffer+careful+compliant"];
	const output = ["-fps_mode", "passthrough", "-f", "framemd5", "-"];
	const { stdout, stderr } = ffmpeg(...strict, "-i", file, ...output);
	expect(stderr.replaceAll(/^.*(Stream #0: not enough frames to estimate rate|timestamps? .*unset).*\n?/gm, "")).toBe(
		"",
	);
	return Array.from(stdout.matchAll(/^\d.* ([0-9a-f]{32})$/gm), (match) => match[1] ?? "");
}

/** `idr_pic_id` of every slice as ffmpeg's own parser prints it. */
function tracedIds(file: string): number[] {
	const { stderr } = ffmpeg("-v", "info", "-i", file, "-c", "copy", "-bsf:v", "trace_headers", "-f", "null", "-");
	return Array.from(stderr.matchAll(/ idr_pic_id +[01]+ = (\d+)/g), (match) => Number(match[1]));
}

/** The original first and then the others: each has its id in every slice, and each is decoded to the original's picture. */
function expectSamePictures(
	picture: Omit<IdrPicture, "name">,
	others: readonly Uint8Array[],
	ids: readonly number[],
): void {
	const original = idrPicIdOf(picture.sample, picture.config) ?? expect.fail("expected an IDR picture, got none");
	const file = flvOf(picture, [picture.sample, ...others]);
	const traced = tracedIds(file);
	const slices = traced.length / (1 + ids.length);
	expect(traced).toEqual([original, ...ids].flatMap((id) => new Array<number>(slices).fill(id)));
	const hashes = pictureHashes(file);
	expect(hashes[0]).toMatch(/^[0-9a-f]{32}$/);
	expect(hashes).toEqual(new Array(1 + others.length).fill(hashes[0]));
}

function expectRepeatable(picture: Omit<IdrPicture, "name">): void {
	const { sample, config } = picture;
	const twins = repeatedIdr(sample, config) ?? expect.fail("expected two pictures, got none");
	const samples = Array.from({ length: REPEATS }, (_, index) => (index % 2 === 0 ? twins[0] : twins[1]));
	const ids = samples.map((each) => idrPicIdOf(each, config) ?? -1);
	expect(ids[0]).not.toBe(ids[1]);
	expectSamePictures(picture, samples, ids);
	const hashes = pictureHashes(annexBOf(picture, [sample, ...samples]));
	expect(hashes).toEqual(new Array(1 + REPEATS).fill(hashes[0]));
}

function expectAnyId(picture: Omit<IdrPicture, "name">): void {
	const samples = ALL_LENGTHS.map((idrPicId) => withIdrPicId(picture.sample, picture.config, idrPicId));
	expectSamePictures(picture, samples, ALL_LENGTHS);
}

describe.each(IDR_PICTURES)("a picture of $name", (picture) => {
	test("is shown again bit by bit", () => {
		expectRepeatable(picture);
	});

	test("is the same with ids of every length", () => {
		expectAnyId(picture);
	});
});

/** Pictures of some size and with settings of their own, made while the test runs. */
const X264: readonly { readonly name: string; readonly args: readonly string[] }[] = [
	{ name: "Baseline, six slices", args: ["-profile:v", "baseline", "-slices", "6"] },
	{
		name: "Main for streaming, with buffer SEI and filler",
		args: [
			"-profile:v",
			"main",
			"-tune",
			"zerolatency",
			"-b:v",
			"900k",
			"-maxrate",
			"900k",
			"-bufsize",
			"900k",
			"-x264-params",
			"nal-hrd=cbr:aud=1:repeat-headers=1",
		],
	},
	{ name: "High with B-frames", args: ["-profile:v", "high", "-preset", "slow", "-bf", "3"] },
	{
		name: "High, interlaced bottom field first, four slices",
		args: ["-profile:v", "high", "-flags", "+ilme+ildct", "-x264-params", "bff=1:slices=4"],
	},
	{ name: "High CAVLC, fine and large", args: ["-profile:v", "high", "-coder", "0", "-crf", "4"] },
	{ name: "High CABAC, fine and large", args: ["-profile:v", "high", "-crf", "1"] },
	{
		name: "constrained intra, small slices",
		args: ["-profile:v", "main", "-x264-params", "constrained-intra=1:slice-max-size=600"],
	},
];

test.each(X264)("x264's $name is shown again bit by bit, with any id", ({ args }) => {
	const made = join(directory, "made.flv");
	const pattern = [
		"-f",
		"lavfi",
		"-i",
		"testsrc2=s=320x180:r=25,noise=alls=12",
		"-frames:v",
		"3",
		"-pix_fmt",
		"yuv420p",
	];
	ffmpeg(...pattern, "-c:v", "libx264", "-g", "2", ...args, made);
	const picture = firstPicture(readFileSync(made));
	expectRepeatable(picture);
	expectAnyId(picture);
});

/** No encoder at hand makes pictures of fields or of plain samples, so these are our own, and ffmpeg says whether they are right. */
describe("a picture of plain samples", () => {
	/** One macroblock I_PCM: ue(25), zeros up to a whole byte of the slice, 256 + 64 + 64 samples, many of them 0 and 1. */
	const samples = Uint8Array.from({ length: 384 }, (_, index) => (index % 7 < 4 ? index % 2 : index));

	function plainData(fields: Parameters<typeof idrSliceNal>[0]): string {
		const headBits = [...bitText(idrSliceNal({ ...fields, data: "" }, 0).subarray(1))].join("").lastIndexOf("1");
		const type = "000011010"; // ue(25)
		return `${type}${"0".repeat((8 - ((headBits + type.length) % 8)) % 8)}${bitText(samples)}`;
	}

	function pictureOf(
		slice: Parameters<typeof idrSliceNal>[0],
		others: readonly Uint8Array[],
	): Omit<IdrPicture, "name"> {
		const base = { profile: 77, compatibility: 0, level: 31, lengthSize: 4 } as const;
		const config = { ...base, sps: [spsNal(slice.sps)], pps: [ppsNal(slice.pps)] };
		const nal = idrSliceNal({ ...slice, data: plainData(slice) }, 0);
		return { record: writeAvcConfig(config), config, sample: avccData([nal, ...others], 4) };
	}

	test.each([0, 1, 2] as const)("with picture order of type %d is shown again bit by bit", (picOrderCountType) => {
		const sps = { widthMacroblocks: 1, heightMapUnits: 1, picOrderCountType, reorderFrames: 0 };
		expectRepeatable(pictureOf({ sps, pps: {}, data: "" }, []));
	});

	test("in two fields, of which the first alone is IDR, is shown again bit by bit", () => {
		const sps = { widthMacroblocks: 1, heightMapUnits: 1, progressive: false, reorderFrames: 0 };
		const pps = { bottomFieldPicOrderPresent: true };
		const second = new BitWriter();
		for (const value of [0, 5, 0]) {
			ue(second, value); // first_mb_in_slice, slice_type P, pic_parameter_set_id
		}
		second.bits(0, 4).flag(true).flag(true).bits(1, 6); // frame_num, field_pic_flag, bottom_field_flag, pic_order_cnt_lsb
		second.flag(false).flag(false).flag(false); // num_ref_idx_active_override, ref_pic_list_modification, adaptive marking
		se(second, 0); // slice_qp_delta
		ue(second, 1); // mb_skip_run: as the first field
		const nal = nalOf(0x61, second.flag(true).finish());
		expectRepeatable(pictureOf({ sps, pps, field: "top", data: "" }, [nal]));
	});
});
