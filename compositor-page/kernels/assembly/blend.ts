/**
 * `output = (colour + output * through + 128) / 256`, sample by sample: a graphic's plane, with its colour multiplied by its alpha beforehand and 256 - alpha
 * as `through`, both 16-bit, over a picture's. `graphicStride` counts samples.
 */
export function blendPlane(
	colour: usize,
	through: usize,
	graphicStride: i32,
	output: usize,
	outputStride: i32,
	width: i32,
	height: i32,
): void {
	const half = i16x8.splat(128);
	for (let y = 0; y < height; y++) {
		let x = 0;
		for (; x <= width - 8; x += 8) {
			// No sum passes 16 bits: colour and share of what is under it are at most 255 parts of 256 together.
			const under = v128.load_ext<u8>(output + x);
			const seen = i16x8.mul(under, v128.load(through + x * 2));
			const sum = i16x8.shr_u(i16x8.add(i16x8.add(v128.load(colour + x * 2), seen), half), 8);
			v128.store_lane<i64>(output + x, i8x16.narrow_i16x8_u(sum, sum), 0);
		}
		for (; x < width; x++) {
			const seen = u32(load<u8>(output + x)) * u32(load<u16>(through + x * 2));
			store<u8>(output + x, (u32(load<u16>(colour + x * 2)) + seen + 128) >> 8);
		}
		colour += graphicStride * 2;
		through += graphicStride * 2;
		output += outputStride;
	}
}

/**
 * `output = (source * alpha + output * (256 - alpha) + 128) / 256`, sample by sample: a picture through a mask of 16-bit values from 0 to 256.
 * `maskStride` counts samples.
 */
export function maskPlane(
	source: usize,
	sourceStride: i32,
	mask: usize,
	maskStride: i32,
	output: usize,
	outputStride: i32,
	width: i32,
	height: i32,
): void {
	const half = i16x8.splat(128);
	const whole = i16x8.splat(256);
	for (let y = 0; y < height; y++) {
		let x = 0;
		for (; x <= width - 8; x += 8) {
			const alpha = v128.load(mask + x * 2);
			const over = i16x8.mul(v128.load_ext<u8>(source + x), alpha);
			const under = i16x8.mul(v128.load_ext<u8>(output + x), i16x8.sub(whole, alpha));
			const sum = i16x8.shr_u(i16x8.add(i16x8.add(over, under), half), 8);
			v128.store_lane<i64>(output + x, i8x16.narrow_i16x8_u(sum, sum), 0);
		}
		for (; x < width; x++) {
			const alpha = u32(load<u16>(mask + x * 2));
			const sum = u32(load<u8>(source + x)) * alpha + u32(load<u8>(output + x)) * (256 - alpha) + 128;
			store<u8>(output + x, sum >> 8);
		}
		source += sourceStride;
		mask += maskStride * 2;
		output += outputStride;
	}
}
