import type { AxisTaps } from "./axis-taps.ts";

/**
 * The loops of the scaler, which touch every sample of every scaled frame. A 32-bit word holds four samples; the even and the odd ones are
 * weighted two at a time in 16-bit lanes. `| 0` keeps words in the engine's 32-bit integers. No read goes past an array's end.
 */

/** Rows that pass the horizontal pass together, one in each byte of a word. */
export const ROWS_AT_ONCE = 4;

/** Half of a lane's fraction, in both lanes: rounds to nearest. */
const LANE_HALF = 0x0080_0080;
const LANE_LOW = 0x00ff_00ff;
const LANE_HIGH = 0xff00_ff00 | 0;
const LOWER_HALF = 0x0000_ffff;
const UPPER_HALF = 0xffff_0000 | 0;

/** One output row of the vertical pass: `count` source rows from word `row`, weighted, into `into`. */
export function sumRows(
	source: Uint32Array,
	row: number,
	strideWords: number,
	words: number,
	weights: Uint16Array,
	firstWeight: number,
	count: number,
	into: Uint32Array,
): void {
	if (count === 1) {
		for (let word = 0; word < words; word++) {
			into[word] = (source[row + word] as number) | 0;
		}
		return;
	}
	if (count <= 4) {
		// Up to four rows at once, the missing ones with no weight: a loop over the rows inside the loop over words takes three times as long.
		const weightA = weights[firstWeight] as number;
		const weightB = weights[firstWeight + 1] as number;
		const weightC = count > 2 ? (weights[firstWeight + 2] as number) : 0;
		const weightD = count > 3 ? (weights[firstWeight + 3] as number) : 0;
		const rowB = row + strideWords;
		const rowC = count > 2 ? rowB + strideWords : row;
		const rowD = count > 3 ? rowC + strideWords : row;
		if (weightC === 0 && weightD === 0) {
			sumTwoRows(source, row, rowB, words, weightA, weightB, into);
		} else if (weightD === 0) {
			sumThreeRows(source, row, rowB, rowC, words, weightA, weightB, weightC, into);
		} else {
			sumFourRows(source, row, rowB, rowC, rowD, words, weightA, weightB, weightC, weightD, into);
		}
		return;
	}
	for (let word = 0; word < words; word++) {
		let even = LANE_HALF;
		let odd = LANE_HALF;
		let at = row + word;
		for (let tap = 0; tap < count; tap++) {
			const samples = (source[at] as number) | 0;
			const weight = weights[firstWeight + tap] as number;
			even = (even + Math.imul(samples & LANE_LOW, weight)) | 0;
			odd = (odd + Math.imul((samples >>> 8) & LANE_LOW, weight)) | 0;
			at += strideWords;
		}
		into[word] = ((even >>> 8) & LANE_LOW) | (odd & LANE_HIGH);
	}
}

function sumTwoRows(
	source: Uint32Array,
	rowA: number,
	rowB: number,
	words: number,
	weightA: number,
	weightB: number,
	into: Uint32Array,
): void {
	for (let word = 0; word < words; word++) {
		const a = (source[rowA + word] as number) | 0;
		const b = (source[rowB + word] as number) | 0;
		const even = LANE_HALF + Math.imul(a & LANE_LOW, weightA) + Math.imul(b & LANE_LOW, weightB);
		const odd = LANE_HALF + Math.imul((a >>> 8) & LANE_LOW, weightA) + Math.imul((b >>> 8) & LANE_LOW, weightB);
		into[word] = ((even >>> 8) & LANE_LOW) | (odd & LANE_HIGH);
	}
}

function sumThreeRows(
	source: Uint32Array,
	rowA: number,
	rowB: number,
	rowC: number,
	words: number,
	weightA: number,
	weightB: number,
	weightC: number,
	into: Uint32Array,
): void {
	for (let word = 0; word < words; word++) {
		const a = (source[rowA + word] as number) | 0;
		const b = (source[rowB + word] as number) | 0;
		const c = (source[rowC + word] as number) | 0;
		const even =
			LANE_HALF +
			Math.imul(a & LANE_LOW, weightA) +
			Math.imul(b & LANE_LOW, weightB) +
			Math.imul(c & LANE_LOW, weightC);
		const odd =
			LANE_HALF +
			Math.imul((a >>> 8) & LANE_LOW, weightA) +
			Math.imul((b >>> 8) & LANE_LOW, weightB) +
			Math.imul((c >>> 8) & LANE_LOW, weightC);
		into[word] = ((even >>> 8) & LANE_LOW) | (odd & LANE_HIGH);
	}
}

function sumFourRows(
	source: Uint32Array,
	rowA: number,
	rowB: number,
	rowC: number,
	rowD: number,
	words: number,
	weightA: number,
	weightB: number,
	weightC: number,
	weightD: number,
	into: Uint32Array,
): void {
	for (let word = 0; word < words; word++) {
		const a = (source[rowA + word] as number) | 0;
		const b = (source[rowB + word] as number) | 0;
		const c = (source[rowC + word] as number) | 0;
		const d = (source[rowD + word] as number) | 0;
		const even =
			LANE_HALF +
			Math.imul(a & LANE_LOW, weightA) +
			Math.imul(b & LANE_LOW, weightB) +
			Math.imul(c & LANE_LOW, weightC) +
			Math.imul(d & LANE_LOW, weightD);
		const odd =
			LANE_HALF +
			Math.imul((a >>> 8) & LANE_LOW, weightA) +
			Math.imul((b >>> 8) & LANE_LOW, weightB) +
			Math.imul((c >>> 8) & LANE_LOW, weightC) +
			Math.imul((d >>> 8) & LANE_LOW, weightD);
		into[word] = ((even >>> 8) & LANE_LOW) | (odd & LANE_HIGH);
	}
}

/** Turns four rows of words into one word a column, the first row in its lowest byte. */
export function gatherColumns(
	rows: readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array],
	words: number,
	columns: Uint32Array,
): void {
	const [rowA, rowB, rowC, rowD] = rows;
	for (let word = 0; word < words; word++) {
		const a = (rowA[word] as number) | 0;
		const b = (rowB[word] as number) | 0;
		const c = (rowC[word] as number) | 0;
		const d = (rowD[word] as number) | 0;
		const evenAB = (a & LANE_LOW) | ((b & LANE_LOW) << 8);
		const oddAB = ((a >>> 8) & LANE_LOW) | (b & LANE_HIGH);
		const evenCD = (c & LANE_LOW) | ((d & LANE_LOW) << 8);
		const oddCD = ((c >>> 8) & LANE_LOW) | (d & LANE_HIGH);
		const column = word * 4;
		columns[column] = (evenAB & LOWER_HALF) | (evenCD << 16);
		columns[column + 1] = (oddAB & LOWER_HALF) | (oddCD << 16);
		columns[column + 2] = (evenAB >>> 16) | (evenCD & UPPER_HALF);
		columns[column + 3] = (oddAB >>> 16) | (oddCD & UPPER_HALF);
	}
}

/** The horizontal pass over `rows` (at most four) rows of gathered columns. */
export function sumColumns(
	columns: Uint32Array,
	taps: AxisTaps,
	output: Uint8Array,
	offset: number,
	stride: number,
	width: number,
	rows: number,
): void {
	const { count, start, weights } = taps;
	const second = offset + (rows > 1 ? stride : 0);
	const third = offset + (rows > 2 ? 2 * stride : 0);
	const fourth = offset + (rows > 3 ? 3 * stride : 0);
	if (count === 2) {
		for (let x = 0; x < width; x++) {
			const at = start[x] as number;
			const weightB = weights[2 * x + 1] as number;
			const weightA = 256 - weightB;
			const a = (columns[at] as number) | 0;
			const b = (columns[at + 1] as number) | 0;
			const even = (LANE_HALF + Math.imul(a & LANE_LOW, weightA) + Math.imul(b & LANE_LOW, weightB)) | 0;
			const odd = (LANE_HALF + Math.imul((a >>> 8) & LANE_LOW, weightA) + Math.imul((b >>> 8) & LANE_LOW, weightB)) | 0;
			output[fourth + x] = odd >>> 24;
			output[third + x] = even >>> 24;
			output[second + x] = (odd >>> 8) & 0xff;
			output[offset + x] = (even >>> 8) & 0xff;
		}
		return;
	}
	if (count === 3) {
		for (let x = 0; x < width; x++) {
			const at = start[x] as number;
			const weightA = weights[3 * x] as number;
			const weightB = weights[3 * x + 1] as number;
			const weightC = weights[3 * x + 2] as number;
			const a = (columns[at] as number) | 0;
			const b = (columns[at + 1] as number) | 0;
			const c = (columns[at + 2] as number) | 0;
			const even =
				(LANE_HALF +
					Math.imul(a & LANE_LOW, weightA) +
					Math.imul(b & LANE_LOW, weightB) +
					Math.imul(c & LANE_LOW, weightC)) |
				0;
			const odd =
				(LANE_HALF +
					Math.imul((a >>> 8) & LANE_LOW, weightA) +
					Math.imul((b >>> 8) & LANE_LOW, weightB) +
					Math.imul((c >>> 8) & LANE_LOW, weightC)) |
				0;
			output[fourth + x] = odd >>> 24;
			output[third + x] = even >>> 24;
			output[second + x] = (odd >>> 8) & 0xff;
			output[offset + x] = (even >>> 8) & 0xff;
		}
		return;
	}
	for (let x = 0; x < width; x++) {
		const at = start[x] as number;
		let even = LANE_HALF;
		let odd = LANE_HALF;
		for (let tap = 0; tap < count; tap++) {
			const samples = (columns[at + tap] as number) | 0;
			const weight = weights[x * count + tap] as number;
			even = (even + Math.imul(samples & LANE_LOW, weight)) | 0;
			odd = (odd + Math.imul((samples >>> 8) & LANE_LOW, weight)) | 0;
		}
		// From the last row to the first: rows that are not wanted all go to the first, which is written last.
		output[fourth + x] = odd >>> 24;
		output[third + x] = even >>> 24;
		output[second + x] = (odd >>> 8) & 0xff;
		output[offset + x] = (even >>> 8) & 0xff;
	}
}
