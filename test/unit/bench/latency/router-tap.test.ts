import { expect, test } from "vitest";
import { nearest } from "../../../../bench/latency/router-tap.ts";

test("of several pictures with the same bytes that one counts which came when it should", () => {
	expect(nearest([100, 633, 1_166], 632)).toBe(633);
	expect(nearest([100, 633, 1_166], 102)).toBe(100);
	expect(nearest([], 102)).toBeUndefined();
});
