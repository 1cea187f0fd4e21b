import { describe, expect, it } from "vitest";
import { stageTimes } from "../../../../bench/latency/stage-times.ts";

describe("stageTimes", () => {
	it("divides the whole way among its parts", () => {
		const times = stageTimes([
			{ sentAtMs: 0, atRouterMs: 10, composedAtMs: 90, receivedAtMs: 100 },
			{ sentAtMs: 1_000, atRouterMs: 1_030, composedAtMs: 1_190, receivedAtMs: 1_200 },
		]);
		expect(times.ingest).toEqual({ p50Ms: 20, p95Ms: 29, share: 40 / 300 });
		expect(times.compose.share).toBeCloseTo(240 / 300);
		expect(times.egress.p50Ms).toBe(10);
		expect(times.ingest.share + times.compose.share + times.egress.share).toBeCloseTo(1);
	});

	it("refuses to tell of no pictures", () => {
		expect(() => stageTimes([])).toThrow("stages: expected pictures, got none");
	});
});
