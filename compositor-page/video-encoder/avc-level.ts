/** Limits of a level: macroblocks a second, macroblocks a frame (ITU-T H.264 table A-1). */
const LEVELS: readonly (readonly [levelIdc: number, macroblocksPerSecond: number, macroblocksPerFrame: number])[] = [
	[30, 40_500, 1_620],
	[31, 108_000, 3_600],
	[32, 216_000, 5_120],
	[40, 245_760, 8_192],
	[42, 522_240, 8_704],
	[50, 589_824, 22_080],
	[51, 983_040, 36_864],
];
const MACROBLOCK_PX = 16;
/** Main, without constraints: what every service takes (docs/decisions.md). */
const MAIN_PROFILE = "4d00";

/** The WebCodecs codec string of H.264 Main at the lowest level that holds the picture, from 3.0 on. Throws when none does. */
export function mainProfileCodec(width: number, height: number, frameRate: number): string {
	const perFrame = Math.ceil(width / MACROBLOCK_PX) * Math.ceil(height / MACROBLOCK_PX);
	const perSecond = perFrame * frameRate;
	const level = LEVELS.find(
		([, mostPerSecond, mostPerFrame]) => perSecond <= mostPerSecond && perFrame <= mostPerFrame,
	);
	if (level === undefined) {
		throw new RangeError(
			`video encoder: expected a picture within level 5.1, got ${width}x${height} at ${frameRate} fps`,
		);
	}
	return `avc1.${MAIN_PROFILE}${level[0].toString(16).padStart(2, "0")}`;
}
