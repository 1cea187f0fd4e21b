/** Bits behind the point of a weight. */
const FRACTION: i32 = 13;

/**
 * Converts a picture's samples in place from one Y'CbCr matrix and range to another: two rows of luma for each of chroma, all sizes in chroma samples.
 *
 * `weights` holds 16-bit values of 13 bits behind the point: luma of Y, U and V; U of U and V; V of U and V. `lumaZero` is taken from luma and 128 from chroma
 * beforehand; 16 and 128 are added afterwards. Rounded to nearest, held within a byte.
 */
export function convertColours(
	luma: usize,
	lumaStride: i32,
	chromaU: usize,
	chromaV: usize,
	chromaStride: i32,
	width: i32,
	height: i32,
	weights: usize,
	lumaZero: i32,
): void {
	for (let y = 0; y < height; y++) {
		let x = 0;
		for (; x <= width - 8; x += 8) {
			convertEight(luma + x * 2, lumaStride, chromaU + x, chromaV + x, weights, lumaZero);
		}
		for (; x < width; x++) {
			convertOne(luma + x * 2, lumaStride, chromaU + x, chromaV + x, weights, lumaZero);
		}
		luma += lumaStride * 2;
		chromaU += chromaStride;
		chromaV += chromaStride;
	}
}

/** Eight samples of each chroma plane and the 32 of luma they belong to. */
function convertEight(luma: usize, stride: i32, chromaU: usize, chromaV: usize, weights: usize, lumaZero: i32): void {
	const middle = i16x8.splat(128);
	const u = i16x8.sub(v128.load_ext<u8>(chromaU), middle);
	const v = i16x8.sub(v128.load_ext<u8>(chromaV), middle);
	// U and V in turn, so that one instruction weighs and adds both.
	const low = v128.shuffle<u16>(u, v, 0, 8, 1, 9, 2, 10, 3, 11);
	const high = v128.shuffle<u16>(u, v, 4, 12, 5, 13, 6, 14, 7, 15);
	const ofLuma = v128.load_splat<i32>(weights, 2);
	const shiftLow = i32x4.dot_i16x8_s(low, ofLuma);
	const shiftHigh = i32x4.dot_i16x8_s(high, ofLuma);
	const ofU = v128.load_splat<i32>(weights, 6);
	const ofV = v128.load_splat<i32>(weights, 10);
	const chromaBase = i32x4.splat((128 << FRACTION) + (1 << (FRACTION - 1)));
	storeLevels(chromaU, i32x4.dot_i16x8_s(low, ofU), i32x4.dot_i16x8_s(high, ofU), chromaBase);
	storeLevels(chromaV, i32x4.dot_i16x8_s(low, ofV), i32x4.dot_i16x8_s(high, ofV), chromaBase);
	const gain = v128.load_splat<i16>(weights);
	const lumaBase = i32x4.splat((16 << FRACTION) + (1 << (FRACTION - 1)) - lumaZero * i32(load<i16>(weights)));
	// Each chroma sample belongs to two of luma in a row.
	const a = i32x4.add(v128.shuffle<u32>(shiftLow, shiftLow, 0, 0, 1, 1), lumaBase);
	const b = i32x4.add(v128.shuffle<u32>(shiftLow, shiftLow, 2, 2, 3, 3), lumaBase);
	const c = i32x4.add(v128.shuffle<u32>(shiftHigh, shiftHigh, 0, 0, 1, 1), lumaBase);
	const d = i32x4.add(v128.shuffle<u32>(shiftHigh, shiftHigh, 2, 2, 3, 3), lumaBase);
	convertLuma(luma, gain, a, b, c, d);
	convertLuma(luma + stride, gain, a, b, c, d);
}

/** Sixteen samples of luma, each with what chroma adds to it. */
function convertLuma(luma: usize, gain: v128, a: v128, b: v128, c: v128, d: v128): void {
	const samples = v128.load(luma);
	const low = i16x8.extend_low_i8x16_u(samples);
	const high = i16x8.extend_high_i8x16_u(samples);
	const left = i16x8.narrow_i32x4_s(
		i32x4.shr_s(i32x4.add(i32x4.extmul_low_i16x8_s(low, gain), a), FRACTION),
		i32x4.shr_s(i32x4.add(i32x4.extmul_high_i16x8_s(low, gain), b), FRACTION),
	);
	const right = i16x8.narrow_i32x4_s(
		i32x4.shr_s(i32x4.add(i32x4.extmul_low_i16x8_s(high, gain), c), FRACTION),
		i32x4.shr_s(i32x4.add(i32x4.extmul_high_i16x8_s(high, gain), d), FRACTION),
	);
	v128.store(luma, i8x16.narrow_i16x8_u(left, right));
}

function storeLevels(into: usize, low: v128, high: v128, base: v128): void {
	const levels = i16x8.narrow_i32x4_s(
		i32x4.shr_s(i32x4.add(low, base), FRACTION),
		i32x4.shr_s(i32x4.add(high, base), FRACTION),
	);
	v128.store_lane<i64>(into, i8x16.narrow_i16x8_u(levels, levels), 0);
}

/** One sample of each chroma plane and the four of luma they belong to. */
function convertOne(luma: usize, stride: i32, chromaU: usize, chromaV: usize, weights: usize, lumaZero: i32): void {
	const u = i32(load<u8>(chromaU)) - 128;
	const v = i32(load<u8>(chromaV)) - 128;
	const shift = u * weightAt(weights, 1) + v * weightAt(weights, 2);
	store<u8>(chromaU, levelOf(u * weightAt(weights, 3) + v * weightAt(weights, 4), 128));
	store<u8>(chromaV, levelOf(u * weightAt(weights, 5) + v * weightAt(weights, 6), 128));
	for (let corner = 0; corner < 4; corner++) {
		const at = luma + (corner >> 1) * stride + (corner & 1);
		store<u8>(at, levelOf((i32(load<u8>(at)) - lumaZero) * weightAt(weights, 0) + shift, 16));
	}
}

function weightAt(weights: usize, index: i32): i32 {
	return load<i16>(weights + index * 2);
}

function levelOf(fixed: i32, base: i32): i32 {
	return max(0, min(255, (fixed + (base << FRACTION) + (1 << (FRACTION - 1))) >> FRACTION));
}
