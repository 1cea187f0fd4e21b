import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { avccToAnnexB } from "../../../media/avc/annex-b.ts";
import { parseAvcConfig } from "../../../media/avc/avc-config.ts";
import { idrPicIdOf } from "../../../media/avc/idr-pic-id.ts";
import { parseSps } from "../../../media/avc/sps.ts";
import { type StillPicture, stillPicture } from "../../../media/avc/still-picture.ts";
import { concat } from "./hex.ts";

let directory = "";
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), "tandem-still-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

const SIZES = [
	{ width: 1280, height: 720, frameRate: 30, level: 31 },
	{ width: 1920, height: 1080, frameRate: 30, level: 40 },
	{ width: 1920, height: 1080, frameRate: 60, level: 42 },
	{ width: 720, height: 1280, frameRate: 25, level: 31 },
	{ width: 128, height: 128, frameRate: 10, level: 30 },
	{ width: 130, height: 242, frameRate: 30_000 / 1_001, level: 30 },
	{ width: 16, height: 16, frameRate: 60, level: 30 },
];

function annexB({ config, sample }: StillPicture, ...idrPicIds: readonly number[]): Uint8Array {
	const { sps, pps, lengthSize } = parseAvcConfig(config);
	const start = Uint8Array.of(0, 0, 0, 1);
	const sets = [...sps, ...pps].flatMap((nal) => [start, nal]);
	return concat(...sets, ...idrPicIds.map((id) => avccToAnnexB(sample(id), lengthSize)));
}

test.each(SIZES)(
	"$width×$height at $frameRate is black to the last sample, by ffmpeg",
	({ width, height, ...format }) => {
		const file = join(directory, `${width}x${height}.h264`);
		writeFileSync(file, annexB(stillPicture({ width, height, ...format }), 0, 1, 0));
		const run = spawnSync(
			"ffmpeg",
			["-v", "warning", "-xerror", "-err_detect", "+crccheck+bitstream+buffer+explode", "-i", file].concat([
				...["-f", "rawvideo", "-pix_fmt", "yuv420p", "-"],
			]),
			{ maxBuffer: 64 * 1024 * 1024 },
		);
		expect(run.stderr.toString()).toBe("");
		expect(run.status).toBe(0);
		const pixels = width * height;
		expect(run.stdout.byteLength).toBe(3 * (pixels + pixels / 2));
		for (let frame = 0; frame < 3; frame++) {
			const at = frame * pixels * 1.5;
			expect(new Set(run.stdout.subarray(at, at + pixels))).toEqual(new Set([16]));
			expect(new Set(run.stdout.subarray(at + pixels, at + pixels * 1.5))).toEqual(new Set([128]));
		}
	},
);

test.each(SIZES)("$width×$height at $frameRate says of itself what it is, by ffprobe", (format) => {
	const file = join(directory, "probe.h264");
	writeFileSync(file, annexB(stillPicture(format), 0, 1));
	const entries = "stream=profile,level,width,height,pix_fmt,color_range,color_space,color_transfer,color_primaries,";
	const run = spawnSync(
		"ffprobe",
		["-v", "warning", "-show_entries", `${entries}r_frame_rate,sample_aspect_ratio,has_b_frames`, "-of", "json", file],
		{ encoding: "utf8" },
	);
	expect(run.stderr).toBe("");
	const [stream] = JSON.parse(run.stdout).streams;
	expect(stream).toMatchObject({
		profile: "Constrained Baseline",
		level: format.level,
		width: format.width,
		height: format.height,
		pix_fmt: "yuv420p",
		color_range: "tv",
		color_space: "bt709",
		color_transfer: "bt709",
		color_primaries: "bt709",
		sample_aspect_ratio: "1:1",
		has_b_frames: 0,
	});
	const [over, under] = stream.r_frame_rate.split("/").map(Number);
	expect(over / under).toBeCloseTo(format.frameRate, 2);
});

test("reads back as it was written, and is small", () => {
	const picture = stillPicture({ width: 1280, height: 720, frameRate: 30 });
	const config = parseAvcConfig(picture.config);
	expect(parseSps(config.sps[0] ?? new Uint8Array())).toMatchObject({ width: 1280, height: 720, frameRate: 30 });
	expect(idrPicIdOf(picture.sample(1), config)).toBe(1);
	expect(picture.sample(0).byteLength).toBeLessThan(3_700);
});

test.each([
	[1281, 720, 30],
	[1280, 721, 30],
	[0, 720, 30],
	[8192, 8192, 30],
	[1920, 1080, 600],
])("makes no picture of %i×%i at %i", (width, height, frameRate) => {
	expect(() => stillPicture({ width, height, frameRate })).toThrow(RangeError);
});
