import type { BrowserSession } from "../../test/support/browser/browser-session.ts";
import { compositeByFfmpeg, compositeGraph, x264 } from "../peers/ffmpeg-compositor.ts";
import type { CompositePlan, CompositeRun } from "./composite-in-worker.ts";
import { FRAME_RATE, KEY_FRAME_EVERY, type ProgramShape } from "./program-shape.ts";

const IN_WORKER = new URL("./composite-in-worker.ts", import.meta.url);
const RUN_TIMEOUT_MS = 180_000;

export const CONTENDERS = ["planar", "canvas", "ffmpeg ultrafast", "ffmpeg veryfast"] as const;
export type ContenderName = (typeof CONTENDERS)[number];

export interface Rate {
	readonly fps: number;
	/** Of the compositing step, where it can be told apart. */
	readonly composeMs?: readonly number[];
}

/** What a program is made of, as paths for ffmpeg and as bytes for the browser. */
export interface Films {
	readonly paths: readonly string[];
	readonly bytes: readonly Uint8Array[];
}

/** Makes the first `frames` frames of a program as fast as it goes. */
export async function measureRate(
	name: ContenderName,
	shape: ProgramShape,
	films: Films,
	frames: number,
	browser: BrowserSession,
): Promise<Rate> {
	if (name === "planar" || name === "canvas") {
		const plan: CompositePlan = {
			...{ kind: name, shape, frames, frameRate: FRAME_RATE, keyFrameEvery: KEY_FRAME_EVERY, keep: false },
		};
		const options = { timeoutMs: RUN_TIMEOUT_MS };
		const run = await browser.run<CompositeRun>(IN_WORKER, "composite", [plan, films.bytes], options);
		return { fps: frames / run.seconds, composeMs: run.composeMs };
	}
	const preset = name === "ffmpeg ultrafast" ? "ultrafast" : "veryfast";
	const encode = x264(preset, shape.bitrateBps, KEY_FRAME_EVERY);
	const output = [...encode, "-frames:v", String(frames), "-f", "null", "-"];
	const { seconds } = await compositeByFfmpeg(films.paths, compositeGraph(shape, "bilinear"), output);
	return { fps: frames / seconds };
}
