import { expect, test } from "vitest";
import { mainProfileCodec } from "../../../../compositor-page/video-encoder/avc-level.ts";

// Expected levels are those of ITU-T H.264 table A-1 for these well-known formats.
test.each([
	{ width: 640, height: 360, frameRate: 30, codec: "avc1.4d001e" },
	{ width: 720, height: 576, frameRate: 25, codec: "avc1.4d001e" },
	{ width: 1280, height: 720, frameRate: 30, codec: "avc1.4d001f" },
	{ width: 720, height: 1280, frameRate: 30, codec: "avc1.4d001f" },
	{ width: 1280, height: 720, frameRate: 60, codec: "avc1.4d0020" },
	{ width: 1920, height: 1080, frameRate: 30, codec: "avc1.4d0028" },
	{ width: 1080, height: 1920, frameRate: 30, codec: "avc1.4d0028" },
	{ width: 1920, height: 1080, frameRate: 60, codec: "avc1.4d002a" },
	{ width: 3840, height: 2160, frameRate: 30, codec: "avc1.4d0033" },
])("asks for $codec for $width x $height at $frameRate fps", ({ width, height, frameRate, codec }) => {
	expect(mainProfileCodec(width, height, frameRate)).toBe(codec);
});

test("refuses what no level holds, and says what was asked", () => {
	expect(() => mainProfileCodec(3_840, 2_160, 60)).toThrow(
		"video encoder: expected a picture within level 5.1, got 3840x2160 at 60 fps",
	);
	expect(() => mainProfileCodec(7_680, 4_320, 1)).toThrow(RangeError);
});
