import { describe, expect, test } from "vitest";
import type { BroadcastStats } from "../../../scripts/api.ts";
import { demoResult, liveLine } from "../../../scripts/demo/result.ts";
import type { CompositorStats } from "../../../worker/protocol/compositor-stats.ts";

function compositorStats(program: Partial<CompositorStats["program"]> = {}, fence = 1): CompositorStats {
	const stage = { p50: 1, p95: 2 };
	return {
		fence,
		uptimeMs: 10_000,
		compositor: "planar",
		audioEncoder: "wasm",
		program: {
			width: 1280,
			height: 720,
			frameRate: 30,
			layout: "pip",
			frames: 300,
			heldFrames: 3,
			droppedFrames: 1,
			keyFrames: 5,
			videoBitrateBps: 2_940_000,
			targetBitrateBps: 3_000_000,
			audioFrames: 468,
			encodeQueue: 0,
			socketQueueBytes: 0,
			...program,
		},
		latencyMs: { inputToEncodedP50: 42.04, inputToEncodedP95: 57.96 },
		avSkewMs: -3.456,
		stagesMs: { decode: stage, composite: stage, encode: stage, mix: stage },
		people: [
			{
				id: "host",
				connected: true,
				picture: "live",
				width: 1280,
				height: 720,
				videoIn: 300,
				audioIn: 400,
				late: 0,
				dropped: 0,
				held: 0,
				decodeErrors: 0,
				queueMs: 20,
				delayMs: 40,
				targetDelayMs: 40,
				avSkewMs: 0,
				concealedSamples: 0,
			},
		],
	};
}

function broadcastStats(
	stats: CompositorStats | undefined,
	destinations: BroadcastStats["destinations"] = [],
): BroadcastStats {
	return { compositor: { lease: "running", ...(stats === undefined ? {} : { reported: { stats } }) }, destinations };
}

const MEASURED = {
	seconds: 20.04,
	compositorCores: 0.4567,
	videoBitrateBps: 2_945_678.9,
	file: "demo-output/program.mp4",
};
const FIRST = broadcastStats(compositorStats());
const LAST = broadcastStats(compositorStats({ frames: 901, heldFrames: 4, droppedFrames: 1 }), [
	{ id: "a", state: "live", egress: { state: "live", bytes: 7_000_000, reconnects: 1, droppedTags: 0, queueMs: 0 } },
	{ id: "b", state: "connecting" },
]);

describe("demoResult", () => {
	test("counts from when both were on air, rounds, and lists every destination, in the order promised", () => {
		const result = demoResult({ ...MEASURED, first: FIRST, last: LAST });
		expect(JSON.stringify(result)).toBe(
			JSON.stringify({
				seconds: 20,
				program: {
					width: 1280,
					height: 720,
					frames: 601,
					heldFrames: 1,
					droppedFrames: 0,
					videoBitrateBps: 2_945_679,
				},
				latencyMs: { inputToEncodedP50: 42, inputToEncodedP95: 58 },
				avSkewMs: -3.5,
				cpu: { compositorCores: 0.46 },
				egress: [
					{ state: "live", bytes: 7_000_000, reconnects: 1 },
					{ state: "connecting", bytes: 0, reconnects: 0 },
				],
				file: "demo-output/program.mp4",
			}),
		);
	});

	test("counts all of a compositor that took over in between, whose counters began at 0", () => {
		const last = broadcastStats(compositorStats({ frames: 200, heldFrames: 2, droppedFrames: 0 }, 2));
		const { program } = demoResult({ ...MEASURED, first: FIRST, last });
		expect(program).toMatchObject({ frames: 200, heldFrames: 2, droppedFrames: 0 });
	});

	test("says so when no compositor ever reported", () => {
		const nothing = broadcastStats(undefined);
		expect(() => demoResult({ ...MEASURED, first: nothing, last: LAST })).toThrow("expected figures");
		expect(() => demoResult({ ...MEASURED, first: FIRST, last: nothing })).toThrow("expected figures");
	});
});

describe("liveLine", () => {
	test("is one line with every figure a person wants", () => {
		expect(liveLine(LAST, 83.9, 0.4567)).toBe(
			"1:23 on air | pip       | 901 frames, 4 held, 1 dropped | 2.9 Mb/s | latency 42/58 ms | skew -3 ms | 0.46 cores | host live | egress live, connecting",
		);
	});

	test("says where the compositor is while there are no figures", () => {
		expect(liveLine(broadcastStats(undefined), 0, 0)).toBe("compositor: running");
	});
});
