import { expect, test } from "vitest";
import { mainProfileCodec } from "../../../encoders/avc/main-profile-codec.ts";

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
	{ width: 3840, height: 2160, frameRate: 60, codec: "avc1.4d0034" },
])("asks for $codec for $width x $height at $frameRate fps", ({ width, height, frameRate, codec }) => {
	expect(mainProfileCodec(width, height, frameRate)).toBe(codec);
});

test("refuses what no level holds, and says what was asked", () => {
	expect(() => mainProfileCodec(7_680, 4_320, 60)).toThrow(
		"video encoder: expected a picture within level 5.2, got 7680x4320 at 60 fps",
	);
	// Few macroblocks, and a side that is too long all the same.
	expect(() => mainProfileCodec(16_384, 16, 1)).toThrow(RangeError);
});
