import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LayoutName } from "../../../media/layout.ts";
import { useBrowser } from "../../support/browser/use-browser.ts";
import { mustRun } from "../../support/peers/run-tool.ts";
import { TempFolder } from "../../support/peers/temp-folder.ts";
import { type Picture, type Plane, pictureFromI420 } from "../../support/program/picture.ts";
import type { BarsProgram } from "./colour-bars-in-worker.ts";

/** Colour bars through decoder and compositor, beside what ffmpeg makes of the same bars: within 2 of 255. And through encoder and FLV. */

const IN_WORKER = new URL("./colour-bars-in-worker.ts", import.meta.url);
const SOURCE = { width: 640, height: 360 };
const FRAMES = 30;
const TOLERANCE = 2;
/** What OpenH264 may add to a flat colour. */
const OF_ENCODER = 2;
/** Within a bar, away from its edges, where chroma and the encoder's filters mix neighbours. */
const BLOCK = 16;

interface Colours {
	/** As ffmpeg's encoder options call the matrix. */
	readonly tag: "smpte170m" | "bt470bg" | "bt709";
	readonly range: "tv" | "pc";
}

const COLOURS: readonly Colours[] = [
	{ tag: "bt709", range: "tv" },
	{ tag: "bt709", range: "pc" },
	{ tag: "smpte170m", range: "tv" },
	{ tag: "smpte170m", range: "pc" },
	{ tag: "bt470bg", range: "tv" },
];

const browser = useBrowser();
let folder: TempFolder;
beforeAll(() => {
	folder = new TempFolder();
});
afterAll(() => folder[Symbol.dispose]());

describe.each(COLOURS)("bars in $tag, range $range", (colours) => {
	test.each([
		{ way: "copied straight", output: SOURCE },
		{ way: "scaled down", output: { width: 426, height: 240 } },
		{ way: "scaled up", output: { width: 1_280, height: 720 } },
	])("come out as BT.709 limited, $way, and the program says so", async ({ output }) => {
		const clip = await makeBars(colours);
		const program = await runProgram("solo", output, [clip]);
		expect(program.sources[0]).toMatchObject({ matrix: colours.tag, fullRange: colours.range === "pc" });
		await expectLike(program, [clip], `[0:v]zscale=${output.width}:${output.height}:${toBt709(colours)}[out]`, output);
	});
});

test("two people whose cameras differ in matrix and range stand side by side in one", async () => {
	const [first, second] = [COLOURS[3], COLOURS[1]] as [Colours, Colours];
	const clips = [await makeBars(first), await makeBars(second)];
	const program = await runProgram("landscape", SOURCE, clips);
	const half = (index: number, colours: Colours) =>
		`[${index}:v]crop=320:360:160:0,zscale=${toBt709(colours)}[p${index}]`;
	await expectLike(program, clips, `${half(0, first)};${half(1, second)};[p0][p1]hstack[out]`, SOURCE);
});

/** By zimg: ffmpeg's own scaler takes short cuts, up to 20 of 255 wide, where the size stays the same. Only matrix and range change. */
function toBt709({ tag, range }: Colours): string {
	const matrix = { smpte170m: "170m", bt470bg: "470bg", bt709: "709" }[tag];
	const same = "primariesin=709:primaries=709:transferin=709:transfer=709:filter=bilinear";
	return `${same}:matrixin=${matrix}:rangein=${range === "pc" ? "full" : "limited"}:matrix=709:range=limited`;
}

/** SMPTE's bars (RP 219) as a camera of such colours gives them. */
async function makeBars({ tag, range }: Colours): Promise<string> {
	const path = folder.file(`bars-${tag}-${range}.flv`);
	const matrix = { smpte170m: "170m", bt470bg: "470bg", bt709: "709" }[tag];
	const same = "primariesin=709:primaries=709:transferin=709:transfer=709";
	const convert = `zscale=${same}:matrixin=709:rangein=limited:matrix=${matrix}:range=${range === "pc" ? "full" : "limited"}`;
	await mustRun("ffmpeg", [
		...["-y", "-v", "error", "-f", "lavfi", "-i", `smptehdbars=s=${SOURCE.width}x${SOURCE.height}:r=30`],
		...["-vf", `${convert},format=${range === "pc" ? "yuvj420p" : "yuv420p"}`, "-frames:v", String(FRAMES)],
		...["-c:v", "libx264", "-preset", "veryfast", "-crf", "4", "-profile:v", "high"],
		...["-colorspace", tag, "-color_primaries", tag, "-color_trc", tag === "bt709" ? "bt709" : "smpte170m"],
		...["-color_range", range, "-f", "flv", path],
	]);
	return path;
}

async function runProgram(
	layout: LayoutName,
	output: { width: number; height: number },
	clips: readonly string[],
): Promise<BarsProgram> {
	const bytes = await Promise.all(clips.map(async (clip) => new Uint8Array(await readFile(clip))));
	return await browser.run<BarsProgram>(IN_WORKER, "programOf", [layout, output, bytes]);
}

async function expectLike(
	program: BarsProgram,
	clips: readonly string[],
	graph: string,
	{ width, height }: { width: number; height: number },
): Promise<void> {
	const path = folder.file("program.flv");
	await writeFile(path, program.flv);
	const probed = await mustRun("ffprobe", [
		...["-v", "error", "-select_streams", "v:0", "-of", "json", "-show_entries"],
		...["stream=color_range,color_space,color_transfer,color_primaries", path],
	]);
	expect(JSON.parse(probed.toString()).streams[0]).toEqual({
		...{ color_range: "tv", color_space: "bt709", color_transfer: "bt709", color_primaries: "bt709" },
	});
	const last = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"];
	const nth = `select=eq(n\\,${FRAMES - 1})`;
	const got = await mustRun("ffmpeg", ["-v", "error", "-i", path, "-vf", nth, ...last]);
	const wanted = await mustRun("ffmpeg", [
		...["-v", "error", ...clips.flatMap((clip) => ["-i", clip])],
		...["-filter_complex", `${graph};[out]${nth}[last]`, "-map", "[last]", ...last],
	]);
	const reference = pictureFromI420(new Uint8Array(wanted), width, height);
	const ofComposite = largestDifference(pictureFromI420(program.composed, width, height), reference);
	const ofProgram = largestDifference(pictureFromI420(new Uint8Array(got), width, height), reference);
	expect(ofComposite.blocks).toBeGreaterThan(100);
	expect(ofComposite.most).toBeLessThanOrEqual(TOLERANCE);
	expect(ofProgram.most).toBeLessThanOrEqual(TOLERANCE + OF_ENCODER);
}

/** Between the means of blocks that are flat in the second picture, over all planes. */
function largestDifference(a: Picture, b: Picture): { readonly most: number; readonly blocks: number } {
	let most = 0;
	let blocks = 0;
	for (const plane of ["y", "u", "v"] as const) {
		for (let y = 0; y + BLOCK <= b[plane].height; y += BLOCK / 2) {
			for (let x = 0; x + BLOCK <= b[plane].width; x += BLOCK / 2) {
				const wanted = block(b[plane], x, y);
				if (wanted.most - wanted.least <= 1) {
					most = Math.max(most, Math.abs(block(a[plane], x, y).mean - wanted.mean));
					blocks += 1;
				}
			}
		}
	}
	return { most, blocks };
}

function block({ width, samples }: Plane, left: number, top: number): { mean: number; least: number; most: number } {
	let [sum, least, most] = [0, 255, 0];
	for (let y = top; y < top + BLOCK; y++) {
		for (let x = left; x < left + BLOCK; x++) {
			const sample = samples[y * width + x] ?? 0;
			sum += sample;
			least = Math.min(least, sample);
			most = Math.max(most, sample);
		}
	}
	return { mean: sum / BLOCK ** 2, least, most };
}
