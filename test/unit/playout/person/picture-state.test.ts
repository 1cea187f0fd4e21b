import { describe, expect, test } from "vitest";
import { HOLD_LAST_PICTURE_US, pictureState } from "../../../../playout/person/picture-state.ts";

describe("pictureState", () => {
	test("is waiting for somebody who was never seen, however long it takes", () => {
		expect(pictureState(0, undefined)).toBe("waiting");
		expect(pictureState(3_600e6, undefined)).toBe("waiting");
	});

	test.each([
		{ ageUs: 0, state: "live" },
		{ ageUs: 250_000, state: "live" },
		{ ageUs: 250_001, state: "holding" },
		{ ageUs: HOLD_LAST_PICTURE_US, state: "holding" },
		{ ageUs: HOLD_LAST_PICTURE_US + 1, state: "card" },
		{ ageUs: 3_600e6, state: "card" },
	])("is $state $ageUs µs after the last new picture, also if that was at time 0", ({ ageUs, state }) => {
		expect(pictureState(ageUs, 0)).toBe(state);
		expect(pictureState(5e6 + ageUs, 5e6)).toBe(state);
	});
});
