/** Rows that pass the horizontal pass together: a column of them is one load of eight bytes. */
const ROWS: i32 = 8;

/**
 * Fills a plane of `width` × `height` from one of `sourceWidth` columns. Sample i of an axis is the sum of `count` source samples from `start[i]`, weighted
 * by `weights[i * count …]` (16-bit both, the weights adding up to 256): see axis-taps.ts. First the rows, then the columns, each rounded to nearest.
 *
 * `rows` and `columns` are room for 8 rows of `sourceWidth`, and `sums` for 8 rows of `width`, each rounded up to 16. Up to 15 bytes are read past a row.
 */
export function scalePlane(
	source: usize,
	sourceStride: i32,
	sourceWidth: i32,
	output: usize,
	outputStride: i32,
	width: i32,
	height: i32,
	downCount: i32,
	downStart: usize,
	downWeights: usize,
	acrossCount: i32,
	acrossStart: usize,
	acrossWeights: usize,
	rows: usize,
	columns: usize,
	sums: usize,
): void {
	const rowBytes = (sourceWidth + 15) & ~15;
	for (let y = 0; y < height; y += ROWS) {
		const there = min(ROWS, height - y);
		for (let row = 0; row < ROWS; row++) {
			// Rows that are not there are those of the last: what they hold is never written.
			const at = y + min(row, there - 1);
			sumRows(
				source + i32(load<u16>(downStart + at * 2)) * sourceStride,
				sourceStride,
				rowBytes,
				downCount,
				downWeights + at * downCount * 2,
				rows + row * rowBytes,
			);
		}
		const into = output + y * outputStride;
		if (acrossCount === 1 && sourceWidth === width) {
			for (let row = 0; row < there; row++) {
				memory.copy(into + row * outputStride, rows + row * rowBytes, width);
			}
			continue;
		}
		gatherColumns(rows, rowBytes, columns);
		sumColumns(columns, width, acrossCount, acrossStart, acrossWeights, sums);
		spreadColumns(sums, width, there, into, outputStride);
	}
}

/** One row out of `count` weighted ones. */
function sumRows(source: usize, stride: i32, bytes: i32, count: i32, weights: usize, into: usize): void {
	if (count === 1) {
		memory.copy(into, source, bytes);
		return;
	}
	const half = i16x8.splat(128);
	if (count === 2) {
		const weightA = i16x8.splat(load<i16>(weights));
		const weightB = i16x8.splat(load<i16>(weights, 2));
		for (let x = 0; x < bytes; x += 16) {
			const a = v128.load(source + x);
			const b = v128.load(source + stride + x);
			const low = i16x8.add(
				i16x8.add(half, i16x8.mul(i16x8.extend_low_i8x16_u(a), weightA)),
				i16x8.mul(i16x8.extend_low_i8x16_u(b), weightB),
			);
			const high = i16x8.add(
				i16x8.add(half, i16x8.mul(i16x8.extend_high_i8x16_u(a), weightA)),
				i16x8.mul(i16x8.extend_high_i8x16_u(b), weightB),
			);
			v128.store(into + x, i8x16.narrow_i16x8_u(i16x8.shr_u(low, 8), i16x8.shr_u(high, 8)));
		}
		return;
	}
	for (let x = 0; x < bytes; x += 16) {
		let low = half;
		let high = half;
		let from = source + x;
		for (let tap = 0; tap < count; tap++) {
			const samples = v128.load(from);
			const weight = v128.load_splat<i16>(weights + tap * 2);
			low = i16x8.add(low, i16x8.mul(i16x8.extend_low_i8x16_u(samples), weight));
			high = i16x8.add(high, i16x8.mul(i16x8.extend_high_i8x16_u(samples), weight));
			from += stride;
		}
		v128.store(into + x, i8x16.narrow_i16x8_u(i16x8.shr_u(low, 8), i16x8.shr_u(high, 8)));
	}
}

/** Turns 8 rows of `bytes` into `bytes` columns of 8. */
function gatherColumns(rows: usize, bytes: i32, columns: usize): void {
	for (let x = 0; x < bytes; x += 8) {
		transpose(rows + x, bytes, columns + x * 8, 8);
	}
}

/** The weighted sums of columns of 8. */
function sumColumns(columns: usize, width: i32, count: i32, start: usize, weights: usize, sums: usize): void {
	const half = i16x8.splat(128);
	if (count === 2) {
		for (let x = 0; x < width; x++) {
			const from = columns + i32(load<u16>(start + x * 2)) * 8;
			const sum = i16x8.add(
				i16x8.add(half, i16x8.mul(v128.load_ext<u8>(from), v128.load_splat<i16>(weights + x * 4))),
				i16x8.mul(v128.load_ext<u8>(from, 8), v128.load_splat<i16>(weights + x * 4, 2)),
			);
			const levels = i16x8.shr_u(sum, 8);
			v128.store_lane<i64>(sums + x * 8, i8x16.narrow_i16x8_u(levels, levels), 0);
		}
		return;
	}
	for (let x = 0; x < width; x++) {
		let from = columns + i32(load<u16>(start + x * 2)) * 8;
		let sum = half;
		for (let tap = 0; tap < count; tap++) {
			sum = i16x8.add(sum, i16x8.mul(v128.load_ext<u8>(from), v128.load_splat<i16>(weights)));
			from += 8;
			weights += 2;
		}
		const levels = i16x8.shr_u(sum, 8);
		v128.store_lane<i64>(sums + x * 8, i8x16.narrow_i16x8_u(levels, levels), 0);
	}
}

/** Turns `width` columns of 8 back into rows, of which the first `there` are wanted, and writes not a byte beside them. */
function spreadColumns(sums: usize, width: i32, there: i32, output: usize, stride: i32): void {
	if (there < ROWS || width < 8) {
		for (let x = 0; x < width; x++) {
			for (let row = 0; row < there; row++) {
				store<u8>(output + row * stride + x, load<u8>(sums + x * 8 + row));
			}
		}
		return;
	}
	for (let x = 0; x <= width - 8; x += 8) {
		transpose(sums + x * 8, 8, output + x, stride);
	}
	if ((width & 7) !== 0) {
		// The last eight once more rather than fewer: they overlap what was just written with the same.
		transpose(sums + (width - 8) * 8, 8, output + width - 8, stride);
	}
}

/** Turns 8 rows of 8 bytes into 8 columns. */
function transpose(source: usize, sourceStride: i32, output: usize, outputStride: i32): void {
	const ab = pairOf(source, sourceStride);
	const cd = pairOf(source + 2 * sourceStride, sourceStride);
	const ef = pairOf(source + 4 * sourceStride, sourceStride);
	const gh = pairOf(source + 6 * sourceStride, sourceStride);
	// Each of ab … holds a0 b0 a1 b1 …: two rows, byte by byte.
	const abcdLow = v128.shuffle<u16>(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11);
	const abcdHigh = v128.shuffle<u16>(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15);
	const efghLow = v128.shuffle<u16>(ef, gh, 0, 8, 1, 9, 2, 10, 3, 11);
	const efghHigh = v128.shuffle<u16>(ef, gh, 4, 12, 5, 13, 6, 14, 7, 15);
	storePair(v128.shuffle<u32>(abcdLow, efghLow, 0, 4, 1, 5), output, outputStride);
	storePair(v128.shuffle<u32>(abcdLow, efghLow, 2, 6, 3, 7), output + 2 * outputStride, outputStride);
	storePair(v128.shuffle<u32>(abcdHigh, efghHigh, 0, 4, 1, 5), output + 4 * outputStride, outputStride);
	storePair(v128.shuffle<u32>(abcdHigh, efghHigh, 2, 6, 3, 7), output + 6 * outputStride, outputStride);
}

/** Two rows of 8 bytes, byte by byte in turn. */
function pairOf(source: usize, stride: i32): v128 {
	const first = v128.load_zero<u64>(source);
	const second = v128.load_zero<u64>(source + stride);
	return v128.shuffle<u8>(first, second, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

function storePair(pair: v128, output: usize, stride: i32): void {
	v128.store_lane<i64>(output, pair, 0);
	v128.store_lane<i64>(output + stride, pair, 1);
}
