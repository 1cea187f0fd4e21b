import { BrowserSession } from "../../test/support/browser/browser-session.ts";
import type { Bench, BenchTable, Verdict } from "../harness/bench.ts";
import { interleave } from "../harness/interleave.ts";
import { quantile, ratios, spreadOf } from "../harness/statistics.ts";
import { Clips } from "./clips.ts";
import { CONTENDERS, type ContenderName, measureRate, type Rate } from "./measure-rate.ts";
import { FRAMES, type ProgramShape, SHAPES } from "./program-shape.ts";

/** What the targets are about. */
const LAYOUTS_OF_TARGETS = ["landscape", "vertical", "pip"];
const LEAST_OF_FFMPEG = 1;
const LEAST_OF_CANVAS = 2.5;

export const THROUGHPUT_BENCH: Bench = {
	name: "throughput",
	about: `${FRAMES} frames of each person → composite → H.264 as fast as it goes, beside canvas and ffmpeg with libx264`,
	async run({ runs, folder, cleanUp, say }) {
		const clips = new Clips(folder);
		const browser = await BrowserSession.open();
		cleanUp.add(() => browser.close());
		const rates: (readonly [
			shape: ProgramShape,
			fps: ReadonlyMap<ContenderName, number[]>,
			step: readonly number[],
		])[] = [];
		for (const shape of SHAPES) {
			say(`filming for ${shape.name}`);
			const films = { paths: await clips.paths(shape), bytes: await clips.bytes(shape) };
			const measured = await interleave<Rate>(
				CONTENDERS.map((name) => ({ name, measure: () => measureRate(name, shape, films, FRAMES, browser) })),
				{ runs, warmUp: true, say: (text) => say(`${shape.name}: ${text}`) },
			);
			const fps = new Map(CONTENDERS.map((name) => [name, (measured.get(name) ?? []).map((each) => each.fps)]));
			rates.push([shape, fps, (measured.get("planar") ?? []).flatMap(({ composeMs }) => composeMs ?? [])]);
		}
		return {
			tables: [
				rateTable(rates.map(([shape, fps]) => [shape, fps])),
				stepTable(rates.map(([shape, , step]) => [shape, step])),
			],
			verdicts: rates
				.filter(([{ name }]) => LAYOUTS_OF_TARGETS.includes(name))
				.flatMap(([shape, fps]) => verdicts(shape, fps)),
			notes: [
				"Frames of program a second, from the first frame decoded to the last encoded; ffmpeg's time is its own `-benchmark`, without its start. One run of each in turn.",
				"Same clips, crops and rectangles, no labels; ffmpeg scales bilinearly. OpenH264 and libx264 at one bitrate, constant, a key frame every 60.",
				"Ratios are taken run by run.",
			],
		};
	},
};

function fpsOf(fps: ReadonlyMap<ContenderName, number[]>, name: ContenderName): number[] {
	return fps.get(name) ?? [];
}

function rateTable(rates: readonly (readonly [ProgramShape, ReadonlyMap<ContenderName, number[]>])[]): BenchTable {
	return {
		title: "Frames a second, as fast as it goes",
		columns: ["program", ...CONTENDERS, "planar ÷ ultrafast", "planar ÷ canvas"],
		rows: rates.map(([shape, fps]) => [
			shape.name,
			...CONTENDERS.map((name) => ({ value: spreadOf(fpsOf(fps, name)), digits: 0 })),
			...(["ffmpeg ultrafast", "canvas"] as const).map((other) => ({
				value: spreadOf(ratios(fpsOf(fps, "planar"), fpsOf(fps, other))),
				unit: "×",
				digits: 2,
			})),
		]),
	};
}

function stepTable(steps: readonly (readonly [ProgramShape, readonly number[]])[]): BenchTable {
	return {
		title: "The compositing step alone, planar, all runs",
		columns: ["program", "p50", "p95"],
		rows: steps.map(([shape, ms]) => [
			shape.name,
			{ value: quantile(ms, 0.5), unit: "ms", digits: 2 },
			{ value: quantile(ms, 0.95), unit: "ms", digits: 2 },
		]),
	};
}

function verdicts(shape: ProgramShape, fps: ReadonlyMap<ContenderName, number[]>): Verdict[] {
	const compare = (other: ContenderName, least: number): Verdict => {
		const { median } = spreadOf(ratios(fpsOf(fps, "planar"), fpsOf(fps, other)));
		return {
			target: `${shape.name}: at least ${least}× ${other}`,
			measured: `${median.toFixed(2)}×`,
			reached: median >= least,
		};
	};
	return [compare("ffmpeg ultrafast", LEAST_OF_FFMPEG), compare("canvas", LEAST_OF_CANVAS)];
}
