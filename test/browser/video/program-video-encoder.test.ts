import { writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { avccToAnnexB } from "../../../media/avc/annex-b.ts";
import { avcCodecString, parseAvcConfig } from "../../../media/avc/avc-config.ts";
import { parseSps } from "../../../media/avc/sps.ts";
import { useBrowser } from "../../support/browser/use-browser.ts";
import { mustRun } from "../../support/peers/run-tool.ts";
import { TempFolder } from "../../support/peers/temp-folder.ts";
import { psnr } from "../../support/program/psnr.ts";
import type { DecodeResult, EncodedPicture, EncodeRequest, EncodeResult } from "./encoder-in-worker.ts";
import { madePicture } from "./made-pictures.ts";

const MODULE = new URL("./encoder-in-worker.ts", import.meta.url);
const HD = { width: 1_280, height: 720, frameRate: 30, bitrateBps: 3_000_000, keyFrameEvery: 60 } as const;
const SMALL = { ...HD, width: 640, height: 360, bitrateBps: 800_000, keyFrameEvery: 30 } as const;
const START_CODE = new Uint8Array([0, 0, 0, 1]);

const browser = useBrowser();

function encode(request: EncodeRequest): Promise<EncodeResult> {
	return browser.run<EncodeResult>(MODULE, "encode", [request]);
}

function keyFrames({ pictures }: EncodeResult): number[] {
	return pictures.filter(({ keyFrame }) => keyFrame).map(({ index }) => index);
}

/** Numbers of the frames that brought a configuration. */
function configured({ pictures }: EncodeResult): number[] {
	return pictures.filter(({ config }) => config !== undefined).map(({ index }) => index);
}

function configOf({ pictures }: EncodeResult): Uint8Array {
	const config = pictures[0]?.config;
	if (config === undefined) {
		throw new Error("expected a configuration with the first frame, got none");
	}
	return config;
}

function annexBStream(pictures: readonly EncodedPicture[], config: Uint8Array): Uint8Array {
	const { sps, pps } = parseAvcConfig(config);
	const parameterSets = [...sps, ...pps].flatMap((nal) => [START_CODE, nal]);
	return Buffer.concat([...parameterSets, ...pictures.map(({ data }) => avccToAnnexB(data))]);
}

function decode(result: EncodeResult): Promise<DecodeResult> {
	const codec = avcCodecString(parseAvcConfig(configOf(result)));
	return browser.run<DecodeResult>(MODULE, "decode", [result.pictures, codec]);
}

/** In bits: the mean of a second, and the most in any second. */
function rates({ pictures }: EncodeResult, frames: number, frameRate: number): { meanBps: number; worstBps: number } {
	const bits = (from: number, to: number) =>
		pictures.filter(({ index }) => index >= from && index < to).reduce((sum, { data }) => sum + data.byteLength * 8, 0);
	return {
		meanBps: (bits(0, frames) / frames) * frameRate,
		worstBps: Math.max(...pictures.map(({ index }) => bits(index, index + frameRate))),
	};
}

describe("ProgramVideoEncoder", () => {
	describe("at 720p30", () => {
		let result: EncodeResult;
		beforeAll(async () => {
			result = await encode({ ...HD, content: "card", frames: 125, live: true });
		});

		test("puts every frame out at the pace of live, in order, without a problem", () => {
			expect(result.pictures.map(({ index }) => index)).toEqual(Array.from({ length: 125 }, (_, index) => index));
			expect([result.dropped, result.problems, result.failed]).toEqual([0, [], []]);
		});

		test("makes a key frame exactly every two seconds", () => {
			expect(keyFrames(result)).toEqual([0, 60, 120]);
		});

		test("says once, with the first frame, that it is H.264 Main without reordering", () => {
			expect(configured(result)).toEqual([0]);
			const config = parseAvcConfig(configOf(result));
			expect(config).toMatchObject({ profile: 77, level: 31, lengthSize: 4 });
			const [sps] = config.sps;
			expect(sps).toBeDefined();
			expect(parseSps(sps ?? new Uint8Array())).toMatchObject({
				...{ width: 1_280, height: 720, profileIdc: 77, levelIdc: 31, chromaFormatIdc: 1 },
				...{ progressive: true, maxReorderFrames: 0 },
			});
		});

		test("is decoded by the browser as what went in", async () => {
			const decoded = await decode(result);
			expect(decoded.pictures).toBe(125);
			expect(decoded.worstPsnr).toBeGreaterThan(38);
		});

		test("is decoded by ffmpeg as what went in, and says that its colours are BT.709 limited", async () => {
			using folder = new TempFolder();
			const path = folder.file("program.h264");
			await writeFile(path, annexBStream(result.pictures, configOf(result)));
			const raw = await mustRun("ffmpeg", [
				...[
					"-v",
					"error",
					"-xerror",
					"-i",
					path,
					"-fps_mode",
					"passthrough",
					"-f",
					"rawvideo",
					"-pix_fmt",
					"yuv420p",
					"-",
				],
			]);
			const bytes = (1_280 * 720 * 3) / 2;
			expect(raw.length).toBe(125 * bytes);
			for (const index of [0, 1, 59, 60, 61, 124]) {
				const picture = raw.subarray(index * bytes, (index + 1) * bytes);
				expect(psnr(madePicture("card", 1_280, 720, index), picture)).toBeGreaterThan(38);
			}
			const probed = await mustRun("ffprobe", [
				...["-v", "error", "-select_streams", "v:0", "-of", "json", "-show_entries"],
				...["stream=profile,pix_fmt,color_range,color_space,color_transfer,color_primaries,has_b_frames", path],
			]);
			expect(JSON.parse(probed.toString()).streams[0]).toEqual({
				...{ profile: "Main", pix_fmt: "yuv420p", has_b_frames: 0 },
				...{ color_range: "tv", color_space: "bt709", color_transfer: "bt709", color_primaries: "bt709" },
			});
		});
	});

	test("keeps the interval when the clock skips the frame that was to be a key frame", async () => {
		const result = await encode({ ...SMALL, content: "card", frames: 100, skip: [29, 30, 31, 60] });
		expect(keyFrames(result)).toEqual([0, 32, 61, 90]);
	});

	test("makes a key frame when one is asked for, and counts the regular ones from there", async () => {
		const result = await encode({
			...SMALL,
			content: "card",
			frames: 111,
			requestKeyFrameBefore: [7, 67, 80],
			skip: [37],
		});
		expect(keyFrames(result)).toEqual([0, 7, 38, 67, 80, 110]);
		expect(configured(result)).toEqual([0]);
	});

	test("has a key frame follow one that was left out", async () => {
		// Noise puts the guard in debt, so that it leaves out frame 30 and most others.
		const result = await encode({ ...SMALL, content: "noise", change: { at: 30, content: "card" }, frames: 200 });
		expect(result.dropped).toBeGreaterThan(0);
		const resumed = result.pictures.find(({ index }) => index >= 30);
		expect(resumed?.keyFrame).toBe(true);
		expect(keyFrames(result).filter((index) => index >= 120)).toEqual([120, 150, 180]);
	});

	test("encodes an upright picture", async () => {
		const result = await encode({ ...HD, width: 720, height: 1_280, content: "card", frames: 11 });
		const [sps] = parseAvcConfig(configOf(result)).sps;
		expect(parseSps(sps ?? new Uint8Array())).toMatchObject({ width: 720, height: 1_280 });
		const decoded = await decode(result);
		expect(decoded.worstPsnr).toBeGreaterThan(38);
	});

	test("changes its bitrate in mid-stream without a key frame and without another configuration", async () => {
		const result = await encode({ ...HD, content: "noise", change: { at: 90, content: "card" }, frames: 400 });
		const lowest = Math.min(...result.pictures.map(({ askedBps }) => askedBps));
		expect(lowest).toBeLessThan(HD.bitrateBps / 3);
		expect(configured(result)).toEqual([0]);
		// From here on it goes up again, step by step.
		const steady = result.pictures.filter(({ index }) => index >= 300);
		expect(steady.map(({ index }) => index)).toEqual(Array.from({ length: 100 }, (_, index) => 300 + index));
		expect(new Set(steady.map(({ askedBps }) => askedBps)).size).toBeGreaterThanOrEqual(2);
		expect(keyFrames(result).filter((index) => index >= 300)).toEqual([300, 360]);
		const decoded = await decode(result);
		expect(decoded.pictures).toBe(result.pictures.length);
	});

	test.each([
		{ ...HD, frames: 450 },
		{ ...SMALL, bitrateBps: 300_000, frames: 600 },
	])("holds noise at $width x $height near $bitrateBps b/s by leaving frames out, and counts them", async (format) => {
		const result = await encode({ ...format, content: "noise" });
		const { meanBps, worstBps } = rates(result, format.frames, format.frameRate);
		const largestBits = Math.max(...result.pictures.map(({ data }) => data.byteLength)) * 8;
		console.info(
			`noise ${format.width}x${format.height} at ${format.bitrateBps} b/s: mean ${Math.round(meanBps)}, ` +
				`worst second ${worstBps}, largest frame ${largestBits} bits, ${result.dropped} of ${format.frames} left out`,
		);
		// One frame alone may be more than a second's worth: an encoder has its coarsest quantiser. Then it has the second for itself.
		expect(worstBps).toBeLessThanOrEqual(Math.max(1.2 * format.bitrateBps, largestBits));
		// Every ten seconds while it lasts.
		expect(result.leftOut).toHaveLength(Math.ceil(format.frames / format.frameRate / 10));
		expect(result.leftOut[0]).toMatch(
			/^video encoder: leaves frames out to hold its bitrate \(\d+ b\/s asked for, \d+ in the last second\)$/,
		);
		expect(meanBps).toBeLessThanOrEqual(1.2 * format.bitrateBps + (2 * largestBits * format.frameRate) / format.frames);
		expect(result.pictures.length + result.dropped).toBe(format.frames);
		expect(Math.min(...result.pictures.map(({ askedBps }) => askedBps))).toBeLessThan(format.bitrateBps / 5);
	});

	test("starts again with a key frame after an error, says so, and keeps the configuration to itself", async () => {
		const result = await encode({ ...SMALL, content: "card", frames: 60, closedFrames: [25] });
		expect(result.problems).toHaveLength(1);
		expect(result.problems[0]).toMatch(/^video encoder: .*closed/);
		expect(result.failed).toEqual([]);
		expect(result.pictures.map(({ index }) => index)).toEqual(
			Array.from({ length: 60 }, (_, index) => index).filter((index) => index !== 25),
		);
		expect(keyFrames(result)).toEqual([0, 26, 56]);
		expect(configured(result)).toEqual([0]);
	});

	test("gives up at the fourth error within a minute, and says so once", async () => {
		const result = await encode({ ...SMALL, content: "card", frames: 40, closedFrames: [5, 10, 15, 20, 25] });
		expect(result.problems).toHaveLength(3);
		expect(result.failed).toEqual([expect.stringMatching(/^video encoder: ./)]);
		expect(result.pictures.at(-1)?.index).toBe(19);
	});

	test("can be closed by the one who takes its frames", async () => {
		// Noise, for after its first frame the guard has an order for the encoder.
		const result = await encode({ ...SMALL, content: "noise", frames: 20, closeOnFrame: 0 });
		expect(result.pictures.map(({ index }) => index)).toEqual([0]);
		expect([result.problems, result.failed]).toEqual([[], []]);
	});

	test("refuses a size that no level holds before anything is on air", async () => {
		await expect(encode({ ...HD, width: 7_680, height: 4_320, content: "card", frames: 1 })).rejects.toThrow(
			"expected a picture within level 5.2, got 7680x4320",
		);
	});
});
