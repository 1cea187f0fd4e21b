/** −3 dB: what a centre or surround channel gives to each side (ITU-R BS.775-3 annex 4). */
const SHARED = Math.SQRT1_2;

/** Per channel, what it gives to the left and to the right. Channel order as decoders give it: FL FR FC LFE, then the rear. */
const MATRICES: Readonly<Record<number, readonly (readonly [left: number, right: number])[]>> = {
	1: [[1, 1]],
	2: [
		[1, 0],
		[0, 1],
	],
	3: normalised([
		[1, 0],
		[0, 1],
		[SHARED, SHARED],
	]),
	// AAC has FL FR FC BC here and Opus FL FR BL BR; a decoder does not say which, so the last two go to both sides.
	4: normalised([
		[1, 0],
		[0, 1],
		[0.5, 0.5],
		[0.5, 0.5],
	]),
	5: normalised([
		[1, 0],
		[0, 1],
		[SHARED, SHARED],
		[SHARED, 0],
		[0, SHARED],
	]),
	6: normalised([
		[1, 0],
		[0, 1],
		[SHARED, SHARED],
		[0, 0],
		[SHARED, 0],
		[0, SHARED],
	]),
	7: normalised([
		[1, 0],
		[0, 1],
		[SHARED, SHARED],
		[0, 0],
		[0.5, 0.5],
		[SHARED, 0],
		[0, SHARED],
	]),
	8: normalised([
		[1, 0],
		[0, 1],
		[SHARED, SHARED],
		[0, 0],
		[SHARED, 0],
		[0, SHARED],
		[SHARED, 0],
		[0, SHARED],
	]),
};

/** What each of `channels` channels gives to left and right; the sum of a side is at most 1. Throws for more than 8. */
export function downmixMatrix(channels: number): readonly (readonly [left: number, right: number])[] {
	const matrix = MATRICES[channels];
	if (matrix === undefined) {
		throw new RangeError(`audio: expected 1 to 8 channels, got ${channels}`);
	}
	return matrix;
}

function normalised(matrix: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
	const sum = matrix.reduce((total, [left]) => total + left, 0);
	return matrix.map(([left, right]) => [left / sum, right / sum] as const);
}
