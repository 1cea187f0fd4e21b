import { describe, expect, test } from "vitest";
import { judgeSoak, type SoakSample } from "../../../scripts/soak/verdict.ts";

const MIB = 1024 * 1024;

/** Twelve samples a minute, as `of` says for each minute from 0. */
function minutes(count: number, of: (minute: number) => Partial<SoakSample>): SoakSample[] {
	return Array.from({ length: count * 12 }, (_, index) => ({
		atMs: index * 5_000,
		pageBytes: 500 * MIB,
		workerBytes: 250 * MIB,
		runnerBytes: 400 * MIB,
		latencyP50Ms: 45,
		latencyP95Ms: 60,
		avSkewMs: 0,
		frames: index * 150,
		heldFrames: 0,
		droppedFrames: 0,
		...of(Math.floor(index / 12)),
	}));
}

describe("judgeSoak", () => {
	test("finds nothing where all is flat, whatever the first minute was like", () => {
		expect(
			judgeSoak(minutes(10, (minute) => (minute === 0 ? { pageBytes: 900 * MIB, latencyP50Ms: 300 } : {}))),
		).toEqual([]);
	});

	test("finds a slow leak, within the band all the time", () => {
		const faults = judgeSoak(minutes(10, (minute) => ({ pageBytes: (460 + 9.5 * minute) * MIB })));
		expect(faults).toHaveLength(1);
		expect(faults[0]).toContain("memory of the page: expected");
	});

	test("finds a minute out of the band", () => {
		const faults = judgeSoak(minutes(10, (minute) => (minute === 5 ? { workerBytes: 280 * MIB } : {})));
		expect(faults).toEqual(["memory of the Worker: expected 250 MiB ± 10 %, got 280 in minute 6"]);
	});

	test("finds latency that grew, and forgives what is noise", () => {
		expect(judgeSoak(minutes(10, (minute) => ({ latencyP50Ms: 45 + minute })))).toHaveLength(1);
		expect(judgeSoak(minutes(10, (minute) => ({ latencyP50Ms: 45 + minute / 10 })))).toEqual([]);
	});

	test("does not judge by a last minute that was cut short", () => {
		const cut = minutes(11, (minute) => (minute === 10 ? { latencyP50Ms: 200 } : {})).slice(0, -10);
		expect(judgeSoak(cut)).toEqual([]);
	});

	test("says so when there is too little to judge", () => {
		expect(judgeSoak(minutes(2, () => ({})))).toHaveLength(1);
	});
});
