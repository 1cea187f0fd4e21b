import { describe, expect, test } from "vitest";
import { type GrabCounters, grabShares, readProgress } from "../../../../bench/live/grab-figures.ts";

const START: GrabCounters = { atMs: 1_000, frames: 30, twice: 2, left: 1, pictures: 50, notShown: 5 };

function later(changed: Partial<GrabCounters>): GrabCounters {
	return { atMs: 11_000, frames: 330, twice: 2, left: 1, pictures: 650, notShown: 5, ...changed };
}

describe("shares of a grab", () => {
	test("are nothing where every frame came, and none twice", () => {
		expect(grabShares([START], [later({})], 30)).toEqual({ repeated: 0, dropped: 0 });
	});

	test("count frames made twice, frames dropped and pictures not shown", () => {
		const shares = grabShares([START], [later({ twice: 32, left: 4, frames: 327, notShown: 35 })], 30);
		expect(shares.repeated).toBeCloseTo(30 / 297);
		expect(shares.dropped).toBeCloseTo(3 / 300 + 30 / 600);
	});

	test("take frames that are missing for the rate as left out", () => {
		expect(grabShares([START], [later({ frames: 180 })], 30).dropped).toBeCloseTo(0.5);
	});

	test("go over all grabs", () => {
		expect(grabShares([START, START], [later({}), later({ twice: 62 })], 30).repeated).toBeCloseTo(60 / 600);
	});

	test("of no frames are no figure", () => {
		expect(() => grabShares([START], [START], 30)).toThrow(
			"expected frames and pictures between two looks, got 0 and 0",
		);
	});
});

describe("ffmpeg's progress", () => {
	const first = "frame=10\nfps=0.0\ndup_frames=0\ndrop_frames=0\nprogress=continue\n";

	test("is its last whole report", () => {
		const second = "frame=  40\nfps=30\ndup_frames=3\ndrop_frames=1\nprogress=continue\n";
		expect(readProgress(`${first}${second}frame=  70\nfps=`)).toEqual({ frames: 40, twice: 3, left: 1 });
	});

	test("is none before the first report ends", () => {
		expect(readProgress("frame=10\ndup_frames=0\n")).toBeUndefined();
	});

	test("without the counters is an error", () => {
		expect(() => readProgress("frame=10\nprogress=continue\n")).toThrow(
			"ffmpeg: expected a report of its progress, got: frame=10",
		);
	});
});
