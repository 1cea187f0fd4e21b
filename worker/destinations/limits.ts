import type { DestinationService } from "../protocol/broadcast-commands.ts";

/** A bitrate that a service publishes for pictures up to a size and frame rate. */
export interface VideoRange {
	readonly longSidePx: number;
	readonly shortSidePx: number;
	readonly frameRate: number;
	readonly minBitrateBps?: number;
	readonly maxBitrateBps: number;
}

/** What a service publishes of the programs it takes. What it does not publish, or not clearly, is absent. */
export interface ServiceLimits {
	/** From the smallest to the largest: that of the first one that the picture fits in counts. */
	readonly video: readonly VideoRange[];
	readonly keyFrameIntervalS?: { readonly min?: number; readonly max: number };
	readonly maxAudioBitrateBps?: number;
	/** Longer side to shorter side. */
	readonly aspectRatio?: number;
	readonly maxBFrames?: number;
	readonly maxHours?: number;
}

const KBPS = 1_000;

function range(
	[longSidePx, shortSidePx]: readonly [number, number],
	frameRate: number,
	[minKbps, maxKbps]: readonly [number | undefined, number],
): VideoRange {
	return {
		longSidePx,
		shortSidePx,
		frameRate,
		...(minKbps === undefined ? {} : { minBitrateBps: minKbps * KBPS }),
		maxBitrateBps: maxKbps * KBPS,
	};
}

const P360 = [640, 360] as const;
/** 854×480 with room for those who round up. */
const P480 = [856, 480] as const;
const P720 = [1_280, 720] as const;
const P1080 = [1_920, 1_080] as const;

/** developers.facebook.com/docs/live-video-api/reference, "Recommended Settings". */
const FACEBOOK: ServiceLimits = {
	video: [
		range(P360, 30, [400, 1_000]),
		range(P480, 30, [600, 2_000]),
		range(P720, 30, [1_500, 4_000]),
		range(P720, 60, [2_250, 6_000]),
		range(P1080, 30, [3_000, 6_000]),
		range(P1080, 60, [4_500, 9_000]),
	],
	keyFrameIntervalS: { max: 4 },
	maxAudioBitrateBps: 256 * KBPS,
	aspectRatio: 16 / 9,
	maxHours: 8,
};

/**
 * support.google.com/youtube/answer/2853702: the widest of the ranges it has given for H.264; the least only where it names the size. Its
 * advanced settings: 2 B-frames.
 */
const YOUTUBE: ServiceLimits = {
	video: [
		range(P480, 30, [undefined, 8_000]),
		range(P720, 60, [3_000, 8_000]),
		range(P1080, 30, [3_000, 10_000]),
		range(P1080, 60, [4_000, 12_000]),
		range([2_560, 1_440], 60, [5_000, 30_000]),
		range([3_840, 2_160], 60, [8_000, 40_000]),
	],
	keyFrameIntervalS: { max: 4 },
	maxBFrames: 2,
};

/** help.twitch.tv, "Broadcasting Guidelines": at most 6 Mb/s, a key frame every 2 s, 48 hours; its Creator Camp: at most 320 kb/s of sound. */
const TWITCH: ServiceLimits = {
	video: [range(P1080, 60, [undefined, 6_000])],
	keyFrameIntervalS: { max: 2 },
	maxAudioBitrateBps: 320 * KBPS,
	maxHours: 48,
};

/** developers.cloudflare.com/stream/stream-live/troubleshooting: key frames every 2 to 8 s. */
const CLOUDFLARE_STREAM: ServiceLimits = { video: [], keyFrameIntervalS: { min: 2, max: 8 } };

export const SERVICE_LIMITS: Readonly<Record<DestinationService, ServiceLimits>> = {
	facebook: FACEBOOK,
	youtube: YOUTUBE,
	twitch: TWITCH,
	"cloudflare-stream": CLOUDFLARE_STREAM,
	custom: { video: [] },
};
