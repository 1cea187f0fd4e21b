import { expect, it } from "vitest";
import { latencyResult, WAYS } from "../../../../bench/latency/latency-result.ts";
import type { LatencyRun } from "../../../../bench/latency/latency-run.ts";

const STAGE = { p50Ms: 10, p95Ms: 20, share: 1 / 3 };
const QUANTILES = { p50: 5, p95: 9 };

function run(p95Ms: number, encodedP95Ms: number): LatencyRun {
	return {
		p50Ms: 90,
		p95Ms,
		maxMs: 300,
		unseen: 0,
		inside: {
			stages: { ingest: STAGE, compose: STAGE, egress: STAGE },
			inPage: {
				inputToEncoded: { p50: 40, p95: encodedP95Ms },
				decode: QUANTILES,
				composite: QUANTILES,
				encode: QUANTILES,
			},
			playOutDelayMs: 20,
		},
	};
}

it("judges the median of the runs by the targets", () => {
	const { verdicts } = latencyResult(
		new Map([
			[WAYS.tandem, [run(250, 70), run(900, 61), run(100, 50)]],
			[WAYS.relay, [{ p50Ms: 1, p95Ms: 2, maxMs: 3, unseen: 0 }]],
		]),
	);
	expect(verdicts).toEqual([
		{ target: "capture → RTMP receiver p95 ≤ 250 ms", measured: "250.0 ms (100.0–900.0)", reached: true },
		{ target: "input → encoded p95 ≤ 60 ms", measured: "61.0 ms (50.0–70.0)", reached: false },
	]);
});

it("refuses to judge what was not measured", () => {
	expect(() => latencyResult(new Map())).toThrow("spread: expected finite values");
});
