import { describe, expect, test } from "vitest";
import { frameShares, type LiveFigures, readProgress } from "../../../../bench/live/live-figures.ts";
import { liveVerdicts } from "../../../../bench/live/live-verdicts.ts";

describe("shares of frames", () => {
	test("are those between two looks, over all broadcasts", () => {
		const before = [
			{ frames: 100, heldFrames: 5, droppedFrames: 0 },
			{ frames: 100, heldFrames: 0, droppedFrames: 2 },
		];
		const after = [
			{ frames: 195, heldFrames: 6, droppedFrames: 5 },
			{ frames: 200, heldFrames: 1, droppedFrames: 2 },
		];
		expect(frameShares(before, after)).toEqual({ repeated: 2 / 200, dropped: 5 / 200 });
	});

	test("of no frames are no figure", () => {
		const same = [{ frames: 1, heldFrames: 0, droppedFrames: 0 }];
		expect(() => frameShares(same, same)).toThrow("live: expected frames between two looks, got 0");
	});
});

describe("ffmpeg's progress", () => {
	test("is its last report", () => {
		const report =
			"frame=10\ndup_frames=0\ndrop_frames=0\nprogress=continue\nframe=  40\ndup_frames=3\ndrop_frames=1\n";
		expect(readProgress(report)).toEqual({ frames: 40, twice: 3, left: 1 });
	});

	test("that is cut off before its first end is an error", () => {
		expect(() => readProgress("frame=10\n")).toThrow("ffmpeg: expected a report of its progress, got: frame=10");
	});
});

describe("verdicts", () => {
	const run = (coresEach: number, repeatedShare = 0): LiveFigures => ({
		...{ broadcasts: 1, coresEach, memoryEachBytes: 400 * 2 ** 20, repeatedShare, droppedShare: 0 },
		...{ latencyP50Ms: 30, latencyP95Ms: 50 },
	});

	test("go by the median of the runs, and ratios by pairs of runs", () => {
		const verdicts = liveVerdicts({
			one: [run(0.4), run(0.6), run(0.5)],
			several: [run(1)],
			theirs: [run(1.25), run(1.9), run(1)],
		});
		expect(verdicts.map(({ reached, measured }) => [reached, measured])).toEqual([
			[true, "0.50"],
			[true, "400 MiB"],
			[true, "0.0 %"],
			[true, "0.32×"],
			[true, "50 ms"],
		]);
	});

	test("what did not stay on air has reached nothing", () => {
		const verdicts = liveVerdicts({ one: [run(0.4)], several: [run(0.4), undefined], theirs: [run(2)] });
		expect(verdicts[2]).toMatchObject({ reached: false, measured: "1 of 2 runs did not stay on air" });
	});
});
