import { expect, test } from "vitest";
import { passthroughRefusal, type StreamFacts } from "../../../worker/router/passthrough.ts";

const PLAN = { width: 1280, height: 720, allowsBFrames: false };
const FIT: StreamFacts = {
	videoCodec: "avc",
	audioCodec: "aac",
	size: { width: 1280, height: 720 },
	reordersPictures: false,
};

test("passes through what has the program's size, H.264 and AAC, or no sound", () => {
	expect(passthroughRefusal(FIT, PLAN)).toBeUndefined();
	const { audioCodec: _, ...silent } = FIT;
	expect(passthroughRefusal(silent, PLAN)).toBeUndefined();
});

test.each([
	["nothing that is known", { reordersPictures: false }, PLAN, "got none"],
	[
		"another width",
		{ ...FIT, size: { width: 1920, height: 720 } },
		PLAN,
		"1280x720 to pass them through, got 1920x720",
	],
	["another height", { ...FIT, size: { width: 1280, height: 1080 } }, PLAN, "got 1280x1080"],
	["another video codec", { ...FIT, videoCodec: "vp8" }, PLAN, "expected H.264 to pass it through, got vp8"],
	["another sound codec", { ...FIT, audioCodec: "opus" }, PLAN, "expected AAC to pass it through, got opus"],
	["pictures out of order", { ...FIT, reordersPictures: true }, PLAN, "out of order"],
] as const)("refuses %s, in words", (_name, facts, plan, words) => {
	expect(passthroughRefusal(facts, plan)).toContain(words);
});

test("passes pictures out of order where every destination takes them", () => {
	expect(passthroughRefusal({ ...FIT, reordersPictures: true }, { ...PLAN, allowsBFrames: true })).toBeUndefined();
});
