import type { CompositorStats } from "../../../worker/protocol/compositor-stats.ts";

const stage = { p50: 1.5, p95: 2.5 };

/** Figures such as the compositor sends. */
export const STATS: CompositorStats = {
	fence: 3,
	uptimeMs: 1_000.5,
	compositor: "planar",
	audioEncoder: "wasm",
	program: {
		width: 1280,
		height: 720,
		frameRate: 30,
		layout: "pip",
		frames: 30,
		heldFrames: 0,
		droppedFrames: 0,
		keyFrames: 1,
		videoBitrateBps: 3_000_000,
		targetBitrateBps: 3_000_000,
		audioFrames: 47,
		encodeQueue: 0,
		socketQueueBytes: 0,
	},
	latencyMs: { inputToEncodedP50: 42, inputToEncodedP95: 50 },
	avSkewMs: -1.25,
	stagesMs: { decode: stage, composite: stage, encode: stage, mix: stage },
	people: [],
};
