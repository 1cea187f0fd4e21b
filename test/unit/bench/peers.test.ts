import { describe, expect, test } from "vitest";
import { compositeGraph } from "../../../bench/peers/ffmpeg-compositor.ts";
import { fullestSecondBits } from "../../../bench/quality/fullest-second.ts";
import { readSimilarity } from "../../../bench/quality/similarity.ts";
import { type ProgramShape, SHAPES } from "../../../bench/throughput/program-shape.ts";

const shapeOf = (name: string) => SHAPES.find((shape) => shape.name === name) as ProgramShape;

describe("the same picture by ffmpeg", () => {
	test("side by side it is cut and stacked, without scaling", () => {
		expect(compositeGraph(shapeOf("landscape"), "bilinear")).toBe(
			"[0:v]crop=640:720:320:0[p0];[1:v]crop=640:720:320:0[p1];[p0][p1]hstack=inputs=2[out]",
		);
	});

	test("upright it is scaled and stacked", () => {
		expect(compositeGraph(shapeOf("vertical"), "bilinear")).toContain("scale=720:640:flags=bilinear[p0]");
		expect(compositeGraph(shapeOf("vertical"), "bilinear")).toContain("vstack=inputs=2[out]");
	});

	test("an inset lies over the whole, with its border", () => {
		const graph = compositeGraph(shapeOf("pip"), "lanczos+accurate_rnd+full_chroma_int");
		expect(graph).toContain("[0:v]crop=1280:720:0:0[p0]");
		expect(graph).toMatch(/scale=320:180:flags=lanczos\+accurate_rnd\+full_chroma_int,drawbox=t=\d+:color=white\[p1\]/);
		expect(graph).toMatch(/\[p0\]\[p1\]overlay=936:516:format=yuv420\[out\]$/);
	});

	test("four fill a grid, one overlay after the other", () => {
		const graph = compositeGraph(shapeOf("grid of 4"), "bilinear");
		expect(graph).toContain("[p0]pad=1280:720:0:0[g0]");
		expect(graph).toMatch(/\[g0\]\[p1\]overlay=640:0:format=yuv420\[o1\];\[o1\]\[p2\]overlay=0:360/);
		expect(graph.endsWith("[out]")).toBe(true);
	});
});

describe("the fullest second", () => {
	test("is found wherever it begins", () => {
		const frames = [
			{ atS: 0, bytes: 100 },
			{ atS: 0.9, bytes: 200 },
			{ atS: 1, bytes: 300 },
			{ atS: 1.95, bytes: 50 },
		];
		// From just after 0 to 1: the frame at 0 is a whole second away from that at 1.
		expect(fullestSecondBits(frames)).toBe(500 * 8);
		expect(fullestSecondBits([])).toBe(0);
	});
});

describe("what ffmpeg says of likeness", () => {
	test("is read from its last lines", () => {
		const said =
			"[Parsed_ssim_4 @ 0x1] SSIM Y:0.98 (17.5) All:0.987654 (19.1)\n[x] PSNR y:40.1 average:41.250000 min:30";
		expect(readSimilarity(said)).toEqual({ ssim: 0.987654, psnrDb: 41.25 });
		expect(readSimilarity(said.replace("41.250000", "inf")).psnrDb).toBe(Number.POSITIVE_INFINITY);
	});

	test("and its silence is an error", () => {
		expect(() => readSimilarity("nothing of it")).toThrow("ffmpeg: expected SSIM and PSNR, got: nothing of it");
	});
});
