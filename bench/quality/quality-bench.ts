import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BrowserSession } from "../../test/support/browser/browser-session.ts";
import { mustRun } from "../../test/support/peers/run-tool.ts";
import type { Bench, Verdict } from "../harness/bench.ts";
import { interleave } from "../harness/interleave.ts";
import { spreadOf } from "../harness/statistics.ts";
import { compositeByFfmpeg, compositeGraph, x264 } from "../peers/ffmpeg-compositor.ts";
import { Clips } from "../throughput/clips.ts";
import type { CompositePlan, CompositeRun } from "../throughput/composite-in-worker.ts";
import { FRAME_RATE, FRAMES, KEY_FRAME_EVERY, type ProgramShape, SHAPES } from "../throughput/program-shape.ts";
import { fullestSecondBits, type TimedFrame } from "./fullest-second.ts";
import { guardedTable, guardedVerdict, measureGuarded } from "./guarded.ts";
import { type Similarity, similarity } from "./similarity.ts";

const IN_WORKER = new URL("../throughput/composite-in-worker.ts", import.meta.url);
const RUN_TIMEOUT_MS = 180_000;
const CONTENDERS = ["planar", "x264 ultrafast", "x264 veryfast"] as const;
/** SSIM may be as much below x264 ultrafast's at the same bitrate. */
const SSIM_ALLOWANCE = 0.005;
/** Encoders keep a bitrate loosely: asked once more with what the first try was off by, they meet it. */
const TRIES = 3;
const NEAR_ENOUGH = 0.01;
const LAYOUTS_OF_TARGETS = ["landscape", "vertical", "pip"];

interface Measured extends Similarity {
	readonly bitrateBps: number;
	readonly fullestSecond: number;
}

export const QUALITY_BENCH: Bench = {
	name: "quality",
	about:
		"SSIM and PSNR of the same programs against a lossless composite, at one measured bitrate, beside x264 ultrafast and veryfast",
	async run({ runs, folder, cleanUp, say }) {
		const clips = new Clips(folder);
		const browser = await BrowserSession.open();
		cleanUp.add(() => browser.close());
		const results: (readonly [ProgramShape, ReadonlyMap<string, readonly Measured[]>])[] = [];
		for (const shape of SHAPES.filter(({ name }) => LAYOUTS_OF_TARGETS.includes(name))) {
			const paths = await clips.paths(shape);
			const films = await clips.bytes(shape);
			/** What ours took in this round: the others are to take as much. */
			let bitrateBps = shape.bitrateBps;
			const measured = await interleave<Measured>(
				CONTENDERS.map((name) => ({
					name,
					measure: async () => {
						const path = join(folder, `${name.replace(" ", "-")}.flv`);
						if (name === "planar") {
							await encodeByPlanar(browser, shape, films, path);
						} else {
							await encodeByX264(name === "x264 ultrafast" ? "ultrafast" : "veryfast", shape, paths, bitrateBps, path);
						}
						const result = await judge(path, shape, paths);
						bitrateBps = name === "planar" ? result.bitrateBps : bitrateBps;
						return result;
					},
				})),
				{ runs, say: (text) => say(`${shape.name}: ${text}`) },
			);
			results.push([shape, measured]);
		}
		const guardedRuns = await measureGuarded({ runs, browser, clips, say });
		return {
			tables: [
				{
					title: "Likeness to a lossless composite, at one bitrate",
					columns: ["program, by", "SSIM", "PSNR", "bitrate", "fullest second ÷ bitrate asked for"],
					rows: results.flatMap(([shape, measured]) =>
						CONTENDERS.map((name) => {
							const all = measured.get(name) ?? [];
							return [
								`${shape.name}, ${name}`,
								{ value: spreadOf(all.map(({ ssim }) => ssim)), digits: 4 },
								{ value: spreadOf(all.map(({ psnrDb }) => psnrDb)), unit: "dB", digits: 2 },
								{ value: spreadOf(all.map((each) => each.bitrateBps / 1_000)), unit: "kb/s", digits: 0 },
								{ value: spreadOf(all.map(({ fullestSecond }) => fullestSecond)), unit: "×", digits: 2 },
							];
						}),
					),
				},
				guardedTable(guardedRuns),
			],
			verdicts: [...results.map(([shape, measured]) => verdict(shape, measured)), ...guardedRuns.map(guardedVerdict)],
			notes: [
				"Against the composite that ffmpeg makes of the same clips without an encoder, scaled by Lanczos: neither side's own filter.",
				`libx264 gets the bitrate that OpenH264 was measured at in that run, and is asked again until it is within ${NEAR_ENOUGH * 100} %.`,
				"The first table is without the guard that watches over a live program's bitrate: what the encoders do by themselves. The second is the live program's encoder, guard and all, in made-up time; its first second is counted too. This machine's ffmpeg has no VMAF.",
			],
		};
	},
};

async function encodeByPlanar(
	browser: BrowserSession,
	shape: ProgramShape,
	films: readonly Uint8Array[],
	path: string,
): Promise<void> {
	const plan: CompositePlan = {
		...{ kind: "planar", shape, frames: FRAMES, frameRate: FRAME_RATE, keyFrameEvery: KEY_FRAME_EVERY, keep: true },
	};
	const { flv } = await browser.run<CompositeRun>(IN_WORKER, "composite", [plan, films], { timeoutMs: RUN_TIMEOUT_MS });
	if (flv === undefined) {
		throw new Error("quality: expected the program's bytes, got none");
	}
	await writeFile(path, flv);
}

async function encodeByX264(
	preset: string,
	shape: ProgramShape,
	clips: readonly string[],
	bitrateBps: number,
	path: string,
): Promise<void> {
	let asked = bitrateBps;
	for (let attempt = 0; attempt < TRIES; attempt++) {
		await compositeByFfmpeg(clips, compositeGraph(shape, "bilinear"), [
			...x264(preset, Math.round(asked), KEY_FRAME_EVERY),
			...["-f", "flv", path],
		]);
		const got = bitrateOf(await timedFrames(path));
		if (Math.abs(got / bitrateBps - 1) <= NEAR_ENOUGH) {
			return;
		}
		asked *= bitrateBps / got;
	}
}

async function judge(path: string, shape: ProgramShape, clips: readonly string[]): Promise<Measured> {
	const frames = await timedFrames(path);
	if (frames.length !== FRAMES) {
		throw new Error(`quality: expected ${FRAMES} frames, got ${frames.length}`);
	}
	const reference = compositeGraph(shape, "lanczos+accurate_rnd+full_chroma_int");
	const near = await similarity(path, clips, reference, FRAME_RATE);
	return { ...near, bitrateBps: bitrateOf(frames), fullestSecond: fullestSecondBits(frames) / shape.bitrateBps };
}

async function timedFrames(path: string): Promise<TimedFrame[]> {
	const listed = await mustRun("ffprobe", [
		...["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time,size", "-of", "csv=p=0", path],
	]);
	const lines = listed.toString().trim().split("\n");
	return lines.map((line) => {
		const [at, bytes] = line.split(",");
		return { atS: Number(at), bytes: Number(bytes) };
	});
}

function bitrateOf(frames: readonly TimedFrame[]): number {
	return (frames.reduce((sum, { bytes }) => sum + bytes, 0) * 8 * FRAME_RATE) / frames.length;
}

function verdict(shape: ProgramShape, measured: ReadonlyMap<string, readonly Measured[]>): Verdict {
	const ssimOf = (name: (typeof CONTENDERS)[number]) =>
		spreadOf((measured.get(name) ?? []).map(({ ssim }) => ssim)).median;
	const [ours, theirs] = [ssimOf("planar"), ssimOf("x264 ultrafast")];
	return {
		target: `${shape.name}: SSIM at least x264 ultrafast's − ${SSIM_ALLOWANCE}`,
		measured: `${ours.toFixed(4)} beside ${theirs.toFixed(4)}`,
		reached: ours >= theirs - SSIM_ALLOWANCE,
	};
}
