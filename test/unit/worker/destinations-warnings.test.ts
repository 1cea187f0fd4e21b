import { expect, test } from "vitest";
import { SERVICE_LIMITS } from "../../../worker/destinations/limits.ts";
import { destinationWarnings, type ProgramSettings } from "../../../worker/destinations/warnings.ts";
import type { DestinationService } from "../../../worker/protocol/broadcast-commands.ts";

const PROGRAM: ProgramSettings = {
	width: 1_280,
	height: 720,
	frameRate: 30,
	videoBitrateBps: 3_000_000,
	audioBitrateBps: 128_000,
	keyFrameIntervalS: 2,
};
const P1080: Partial<ProgramSettings> = { width: 1_920, height: 1_080, videoBitrateBps: 5_000_000 };
const PORTRAIT: Partial<ProgramSettings> = { width: 720, height: 1_280 };

function warningsOf(
	service: DestinationService,
	changes: Partial<ProgramSettings>,
	shownUrl = "rtmps://x.example/app",
) {
	return destinationWarnings({ service, shownUrl }, { ...PROGRAM, ...changes });
}

const SERVICES = ["facebook", "youtube", "twitch", "cloudflare-stream", "custom"] as const;

test.each(SERVICES)("has nothing against what a broadcast is by default, at %s", (service) => {
	expect(warningsOf(service, {})).toEqual([]);
	expect(warningsOf(service, PORTRAIT)).toEqual([]);
	expect(warningsOf(service, P1080)).toEqual([]);
});

test("has nothing against anything at a custom host", () => {
	const wild = { width: 1_920, height: 1_920, frameRate: 120, videoBitrateBps: 1, keyFrameIntervalS: 60 };
	expect(warningsOf("custom", wild, "rtmp://x.example/app")).toEqual([]);
});

const table: [DestinationService, Partial<ProgramSettings>, string, RegExp][] = [
	[
		"facebook",
		{ videoBitrateBps: 4_000_001 },
		"video-bitrate-too-high",
		/at most 4000 kb\/s, got 4000 kb\/s for 1280×720 at 30/,
	],
	["facebook", { videoBitrateBps: 1_499_000 }, "video-bitrate-too-low", /at least 1500 kb\/s, got 1499 kb\/s/],
	["facebook", { frameRate: 60, videoBitrateBps: 6_100_000 }, "video-bitrate-too-high", /at most 6000 kb\/s/],
	[
		"facebook",
		{ ...PORTRAIT, videoBitrateBps: 4_100_000 },
		"video-bitrate-too-high",
		/at most 4000 kb\/s, got .+720×1280/,
	],
	["facebook", { ...P1080, videoBitrateBps: 6_100_000 }, "video-bitrate-too-high", /at most 6000/],
	["facebook", { ...P1080, videoBitrateBps: 2_900_000 }, "video-bitrate-too-low", /at least 3000/],
	["facebook", { width: 854, height: 480, videoBitrateBps: 2_100_000 }, "video-bitrate-too-high", /at most 2000/],
	["facebook", { width: 640, height: 360, videoBitrateBps: 300_000 }, "video-bitrate-too-low", /at least 400/],
	["facebook", { width: 960, height: 720 }, "aspect-ratio", /16:9, got 960×720/],
	["facebook", { audioBitrateBps: 257_000 }, "audio-bitrate-too-high", /at most 256 kb\/s of sound, got 257/],
	["facebook", { keyFrameIntervalS: 5 }, "key-frame-interval", /at least every 4 s, got one every 5 s/],
	["youtube", { videoBitrateBps: 2_900_000 }, "video-bitrate-too-low", /at least 3000/],
	["youtube", { ...P1080, videoBitrateBps: 11_000_000 }, "video-bitrate-too-high", /at most 10000/],
	["youtube", { ...P1080, frameRate: 60, videoBitrateBps: 13_000_000 }, "video-bitrate-too-high", /at most 12000/],
	["youtube", { keyFrameIntervalS: 4.5 }, "key-frame-interval", /every 4 s/],
	["twitch", { videoBitrateBps: 6_001_000 }, "video-bitrate-too-high", /at most 6000 kb\/s, got 6001/],
	["twitch", { width: 2_560, height: 1_440 }, "picture-too-large", /at most 1920×1080, got 2560×1440/],
	["twitch", { width: 1_440, height: 1_440 }, "picture-too-large", /got 1440×1440/],
	["twitch", { frameRate: 61 }, "frame-rate-too-high", /at most 60 frames\/s, got 61/],
	["twitch", { keyFrameIntervalS: 3 }, "key-frame-interval", /every 2 s, got one every 3 s/],
	["cloudflare-stream", { keyFrameIntervalS: 1 }, "key-frame-interval", /every 2 to 8 s, got one every 1 s/],
	["cloudflare-stream", { keyFrameIntervalS: 9 }, "key-frame-interval", /every 2 to 8 s/],
];

test.each(table)("%s, with %o: warns of %s and of nothing else", (service, changes, code, detail) => {
	expect(warningsOf(service, changes)).toEqual([{ code, detail: expect.stringMatching(detail) }]);
});

test("each published range takes its own ends", () => {
	for (const service of SERVICES) {
		for (const { longSidePx, shortSidePx, frameRate, minBitrateBps, maxBitrateBps } of SERVICE_LIMITS[service].video) {
			for (const videoBitrateBps of [minBitrateBps ?? maxBitrateBps, maxBitrateBps]) {
				const program = { width: longSidePx, height: shortSidePx, frameRate, videoBitrateBps };
				expect(warningsOf(service, program), `${service} ${JSON.stringify(program)}`).toEqual([]);
			}
		}
	}
});

test("an address without a service is judged by its host", () => {
	const program = { videoBitrateBps: 9_000_000 };
	expect(warningsOf("custom", program, "rtmps://a.rtmps.youtube.com/live2")).toEqual([
		{ code: "video-bitrate-too-high", detail: expect.stringMatching(/^YouTube: expected .+, got .+/) },
	]);
	expect(warningsOf("custom", program, "rtmps://user:pass@b.RTMPS.youtube.com:443/live2")).toHaveLength(1);
});

test("tells of an address of another service, and of one without TLS where there is TLS", () => {
	expect(warningsOf("twitch", {}, "rtmps://a.rtmps.youtube.com/live2")).toEqual([
		{ code: "other-service", detail: "Twitch: expected an address of its own, got one of YouTube" },
	]);
	expect(warningsOf("custom", {}, "rtmp://a.rtmp.youtube.com/live2")).toMatchObject([{ code: "unencrypted" }]);
	expect(warningsOf("youtube", {}, "rtmp://relay.example.com/live2")).toMatchObject([{ code: "unencrypted" }]);
	expect(warningsOf("custom", {}, "rtmp://relay.example.com/live2")).toEqual([]);
});
