import type { DestinationService, DestinationWarning } from "../protocol/broadcast-commands.ts";
import { SERVICE_LIMITS, type ServiceLimits, type VideoRange } from "./limits.ts";
import { hostOf } from "./placement.ts";
import { SERVICE_PRESETS, serviceInForce, serviceOfHost } from "./services.ts";

/** The program as a destination gets it. */
export interface ProgramSettings {
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	readonly videoBitrateBps: number;
	readonly audioBitrateBps: number;
	readonly keyFrameIntervalS: number;
}

/** How far a picture may be from the shape a service asks for: what rounding to even numbers does, and little more. */
const ASPECT_TOLERANCE = 0.05;

/**
 * What a service's published limits have against a program. Warnings and no refusals, since services change their limits, bend them for some
 * accounts, and most of the time take what is a little off.
 *
 * @param shownUrl the address as it may be shown: its host tells whose it is where `service` is "custom"
 */
export function destinationWarnings(
	{ service, shownUrl }: { readonly service: DestinationService; readonly shownUrl: string },
	program: ProgramSettings,
): readonly DestinationWarning[] {
	const host = hostOf(shownUrl);
	const inForce = serviceInForce(service, host);
	const limits = SERVICE_LIMITS[inForce];
	const { name } = SERVICE_PRESETS[inForce];
	return [
		addressWarning(service, shownUrl, host),
		...pictureWarnings(limits, program),
		soundWarning(limits, program),
		keyFrameWarning(limits, program),
	]
		.filter((warning) => warning !== undefined)
		.map(({ code, expected, found }) => ({ code, detail: `${name}: expected ${expected}, got ${found}` }));
}

interface Mismatch {
	readonly code: DestinationWarning["code"];
	readonly expected: string;
	readonly found: string;
}

function addressWarning(service: DestinationService, shownUrl: string, host: string): Mismatch | undefined {
	const recognised = serviceOfHost(host);
	if (service !== "custom" && recognised !== undefined && recognised !== service) {
		return {
			code: "other-service",
			expected: "an address of its own",
			found: `one of ${SERVICE_PRESETS[recognised].name}`,
		};
	}
	const takesTls = SERVICE_PRESETS[serviceInForce(service, host)].servers.some(({ url }) => url.startsWith("rtmps:"));
	return takesTls && shownUrl.startsWith("rtmp:")
		? { code: "unencrypted", expected: "rtmps://", found: "rtmp://, which shows the key to whoever listens" }
		: undefined;
}

function pictureWarnings(limits: ServiceLimits, program: ProgramSettings): (Mismatch | undefined)[] {
	const { width, height, frameRate } = program;
	const { video, aspectRatio } = limits;
	const largest = video.at(-1);
	const longSidePx = Math.max(width, height);
	const shortSidePx = Math.min(width, height);
	const isOffShape =
		aspectRatio !== undefined && Math.abs(longSidePx / shortSidePx / aspectRatio - 1) > ASPECT_TOLERANCE;
	return [
		largest !== undefined && (longSidePx > largest.longSidePx || shortSidePx > largest.shortSidePx)
			? {
					code: "picture-too-large",
					expected: `at most ${largest.longSidePx}×${largest.shortSidePx}`,
					found: `${width}×${height}`,
				}
			: undefined,
		largest !== undefined && frameRate > largest.frameRate
			? { code: "frame-rate-too-high", expected: `at most ${largest.frameRate} frames/s`, found: `${frameRate}` }
			: undefined,
		isOffShape ? { code: "aspect-ratio", expected: "a picture of 16:9", found: `${width}×${height}` } : undefined,
		bitrateWarning(rangeOf(video, longSidePx, shortSidePx, frameRate), program),
	];
}

/** That of the smallest picture it fits in, and of the largest when it fits in none. */
function rangeOf(
	video: readonly VideoRange[],
	longSidePx: number,
	shortSidePx: number,
	frameRate: number,
): VideoRange | undefined {
	const fits = video.find(
		(each) => longSidePx <= each.longSidePx && shortSidePx <= each.shortSidePx && frameRate <= each.frameRate,
	);
	return fits ?? video.at(-1);
}

function bitrateWarning(range: VideoRange | undefined, program: ProgramSettings): Mismatch | undefined {
	const { width, height, frameRate, videoBitrateBps } = program;
	const found = `${inKbps(videoBitrateBps)} for ${width}×${height} at ${frameRate} frames/s`;
	if (range !== undefined && videoBitrateBps > range.maxBitrateBps) {
		return { code: "video-bitrate-too-high", expected: `at most ${inKbps(range.maxBitrateBps)}`, found };
	}
	return range?.minBitrateBps !== undefined && videoBitrateBps < range.minBitrateBps
		? { code: "video-bitrate-too-low", expected: `at least ${inKbps(range.minBitrateBps)}`, found }
		: undefined;
}

function soundWarning(
	{ maxAudioBitrateBps }: ServiceLimits,
	{ audioBitrateBps }: ProgramSettings,
): Mismatch | undefined {
	return maxAudioBitrateBps !== undefined && audioBitrateBps > maxAudioBitrateBps
		? {
				code: "audio-bitrate-too-high",
				expected: `at most ${inKbps(maxAudioBitrateBps)} of sound`,
				found: inKbps(audioBitrateBps),
			}
		: undefined;
}

function keyFrameWarning(
	{ keyFrameIntervalS: asked }: ServiceLimits,
	{ keyFrameIntervalS }: ProgramSettings,
): Mismatch | undefined {
	const { min = 0, max } = asked ?? { max: Number.POSITIVE_INFINITY };
	if (keyFrameIntervalS >= min && keyFrameIntervalS <= max) {
		return undefined;
	}
	const expected = min === 0 ? `a key frame at least every ${max} s` : `a key frame every ${min} to ${max} s`;
	return { code: "key-frame-interval", expected, found: `one every ${keyFrameIntervalS} s` };
}

function inKbps(bps: number): string {
	return `${Math.round(bps / 1_000)} kb/s`;
}
