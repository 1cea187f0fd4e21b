/** Copies `height` rows of `width` bytes. */
export function copyPlane(
	source: usize,
	sourceStride: i32,
	output: usize,
	outputStride: i32,
	width: i32,
	height: i32,
): void {
	for (let y = 0; y < height; y++) {
		memory.copy(output, source, width);
		source += sourceStride;
		output += outputStride;
	}
}

/** Parts rows of `pairs` interleaved byte pairs (NV12's chroma) into two planes. */
export function splitPairs(
	source: usize,
	sourceStride: i32,
	first: usize,
	second: usize,
	outputStride: i32,
	pairs: i32,
	height: i32,
): void {
	for (let y = 0; y < height; y++) {
		let x = 0;
		for (; x <= pairs - 16; x += 16) {
			const low = v128.load(source + x * 2);
			const high = v128.load(source + x * 2, 16);
			v128.store(first + x, v128.shuffle<u8>(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30));
			v128.store(second + x, v128.shuffle<u8>(low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31));
		}
		for (; x < pairs; x++) {
			store<u8>(first + x, load<u8>(source + x * 2));
			store<u8>(second + x, load<u8>(source + x * 2, 1));
		}
		source += sourceStride;
		first += outputStride;
		second += outputStride;
	}
}
