import type { BrowserSession } from "../../test/support/browser/browser-session.ts";
import type { BenchTable, Verdict } from "../harness/bench.ts";
import { spreadOf } from "../harness/statistics.ts";
import type { Clips } from "../throughput/clips.ts";
import { FRAME_RATE, FRAMES, KEY_FRAME_EVERY, type ProgramShape, SHAPES } from "../throughput/program-shape.ts";
import { fullestSecondBits } from "./fullest-second.ts";
import type { GuardedPlan, GuardedRun } from "./guarded-in-worker.ts";

const IN_WORKER = new URL("./guarded-in-worker.ts", import.meta.url);
const RUN_TIMEOUT_MS = 180_000;
const MOST_OF_TARGET = 1.2;
const SHAPE = "landscape";
/** A cut every two and a half seconds: sometimes on a key frame, mostly not. */
const CUT_EVERY = 75;
/** A bitrate at which the scenes are hard, one that suits them, and one that is more than they need. */
const BITRATES_BPS = [1_000_000, 3_000_000, 6_000_000];

/** A program of one kind over all runs. */
export interface GuardedResult {
	readonly name: string;
	readonly fullest: readonly number[];
	readonly mean: readonly number[];
	readonly leftOut: readonly number[];
	readonly longestPauseMs: readonly number[];
}

export async function measureGuarded(options: {
	readonly runs: number;
	readonly browser: BrowserSession;
	readonly clips: Clips;
	say(text: string): void;
}): Promise<GuardedResult[]> {
	const { runs, browser, clips, say } = options;
	const base = SHAPES.find(({ name }) => name === SHAPE);
	if (base === undefined) {
		throw new Error(`quality: expected a program named ${SHAPE}, got none`);
	}
	const films = await clips.bytes(base);
	const results: GuardedResult[] = [];
	for (const bitrateBps of BITRATES_BPS) {
		for (const cuts of [false, true]) {
			const shape: ProgramShape = { ...base, bitrateBps };
			const name = `${bitrateBps / 1_000} kb/s${cuts ? ", another layout every 2.5 s" : ""}`;
			const all: GuardedRun[] = [];
			for (let run = 0; run < runs; run++) {
				say(`guard at ${name}: run ${run + 1} of ${runs}`);
				const plan: GuardedPlan = {
					...{ shape, frames: FRAMES, frameRate: FRAME_RATE, keyFrameEvery: KEY_FRAME_EVERY },
					...(cuts ? { cutEvery: CUT_EVERY } : {}),
				};
				all.push(await browser.run<GuardedRun>(IN_WORKER, "guarded", [plan, films], { timeoutMs: RUN_TIMEOUT_MS }));
			}
			results.push({
				name,
				fullest: all.map(({ frames }) => fullestSecondBits(timed(frames)) / bitrateBps),
				mean: all.map(
					({ frames }) => (frames.reduce((sum, { bytes }) => sum + bytes, 0) * 8 * FRAME_RATE) / FRAMES / bitrateBps,
				),
				leftOut: all.map(({ leftOut }) => leftOut / FRAMES),
				longestPauseMs: all.map(({ frames }) => longestPauseMs(frames)),
			});
		}
	}
	return results;
}

export function guardedTable(results: readonly GuardedResult[]): BenchTable {
	return {
		title: "A live program's bitrate, guarded: side by side at 720p30",
		columns: ["asked for", "fullest second ÷ asked", "mean ÷ asked", "left out", "longest pause"],
		rows: results.map(({ name, fullest, mean, leftOut, longestPauseMs: pauses }) => [
			name,
			{ value: spreadOf(fullest), unit: "×", digits: 2 },
			{ value: spreadOf(mean), unit: "×", digits: 2 },
			{ value: spreadOf(leftOut.map((share) => share * 100)), unit: "%", digits: 1 },
			{ value: spreadOf(pauses), unit: "ms", digits: 0 },
		]),
	};
}

export function guardedVerdict({ name, fullest }: GuardedResult): Verdict {
	const { max } = spreadOf(fullest);
	return {
		target: `${name}: no second above ${MOST_OF_TARGET}× the bitrate`,
		measured: `${max.toFixed(2)}× at most`,
		reached: max <= MOST_OF_TARGET,
	};
}

function timed(frames: GuardedRun["frames"]) {
	return frames.map(({ index, bytes }) => ({ atS: index / FRAME_RATE, bytes }));
}

/** From one frame to the next. */
function longestPauseMs(frames: GuardedRun["frames"]): number {
	const steps = frames.slice(1).map(({ index }, at) => index - (frames[at]?.index ?? index));
	return (Math.max(0, ...steps) * 1_000) / FRAME_RATE;
}
