import { describe, expect, test } from "vitest";
import { frameShares } from "../../../../bench/live/live-figures.ts";

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
