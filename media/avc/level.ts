const MACROBLOCK_PX = 16;

/** Limits of a level: macroblocks a second, macroblocks a frame (ITU-T H.264 table A-1). */
const LEVELS: readonly (readonly [levelIdc: number, maxMacroblocksPerSecond: number, maxMacroblocks: number])[] = [
	[30, 40_500, 1_620],
	[31, 108_000, 3_600],
	[32, 216_000, 5_120],
	[40, 245_760, 8_192],
	[42, 522_240, 8_704],
	[50, 589_824, 22_080],
	[51, 983_040, 36_864],
	[52, 2_073_600, 36_864],
];

/**
 * The `level_idc` of the lowest level, from 3.0 on, that holds a picture of that many pixels at that rate; `undefined` when none does. No side may
 * be longer than the root of eight times the macroblocks (§A.3.1).
 */
export function avcLevel(width: number, height: number, frameRate: number): number | undefined {
	const columns = Math.ceil(width / MACROBLOCK_PX);
	const rows = Math.ceil(height / MACROBLOCK_PX);
	const perFrame = columns * rows;
	const longerSquared = Math.max(columns, rows) ** 2;
	const level = LEVELS.find(
		([, mostPerSecond, most]) => perFrame * frameRate <= mostPerSecond && perFrame <= most && longerSquared <= 8 * most,
	);
	return level?.[0];
}
