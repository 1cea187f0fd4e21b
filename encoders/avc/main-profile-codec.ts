import { avcLevel } from "../../media/avc/level.ts";

/** Main, without constraints: what every service takes (docs/decisions.md). */
const MAIN_PROFILE = "4d00";

/** The WebCodecs codec string of H.264 Main at the lowest level that holds the picture, from 3.0 on. Throws when none does. */
export function mainProfileCodec(width: number, height: number, frameRate: number): string {
	const level = avcLevel(width, height, frameRate);
	if (level === undefined) {
		throw new RangeError(
			`video encoder: expected a picture within level 5.2, got ${width}x${height} at ${frameRate} fps`,
		);
	}
	return `avc1.${MAIN_PROFILE}${level.toString(16).padStart(2, "0")}`;
}
