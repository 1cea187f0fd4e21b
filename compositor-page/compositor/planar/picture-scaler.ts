import type { Rect } from "../../../media/layout.ts";
import { type AxisTaps, axisTaps } from "./axis-taps.ts";
import type { PictureBuffer, PlanePosition } from "./picture-buffer.ts";

/** Tables kept for scales in use; a broadcast has a handful, and a sender that grows adds a few. */
const MAX_TABLES = 64;
/** Half of a 16-bit lane's fraction, in both lanes: rounds to nearest. */
const LANE_HALF = 0x0080_0080;
const LANE_LOW = 0x00ff_00ff;
const LANE_HIGH = 0xff00_ff00 | 0;

/** Scales I420 pictures: down by area average, up by linear interpolation. Allocates only when a scale is new. */
export class PictureScaler {
	readonly #tables = new Map<number, AxisTaps>();
	#rowWords = new Uint32Array(0);
	#rowBytes = new Uint8Array(0);

	/** Fills `target` (even numbers) in `output` with the whole of `source`. */
	scale(source: PictureBuffer, output: PictureBuffer, target: Rect): void {
		for (const plane of [0, 1, 2] as const) {
			const shift = plane === 0 ? 0 : 1;
			const to = output.planes[plane];
			this.#scalePlane(
				source,
				source.planes[plane],
				source.width >> shift,
				source.height >> shift,
				output.bytes,
				to.offset + (target.y >> shift) * to.stride + (target.x >> shift),
				to.stride,
				target.width >> shift,
				target.height >> shift,
			);
		}
	}

	#scalePlane(
		source: PictureBuffer,
		from: PlanePosition,
		sourceWidth: number,
		sourceHeight: number,
		output: Uint8Array,
		outputOffset: number,
		outputStride: number,
		width: number,
		height: number,
	): void {
		const across = this.#taps(sourceWidth, width);
		const down = this.#taps(sourceHeight, height);
		const words = (sourceWidth + 3) >> 2;
		if (this.#rowWords.length < words) {
			this.#rowWords = new Uint32Array(words);
			this.#rowBytes = new Uint8Array(this.#rowWords.buffer);
		}
		const strideWords = from.stride >> 2;
		const firstWord = from.offset >> 2;
		for (let y = 0; y < height; y++) {
			const row = firstWord + (down.start[y] ?? 0) * strideWords;
			sumRows(source.words, row, strideWords, words, down.weights, y * down.count, down.count, this.#rowWords);
			sumColumns(this.#rowBytes, across, output, outputOffset + y * outputStride, width);
		}
	}

	#taps(sourceLength: number, outputLength: number): AxisTaps {
		const key = sourceLength * 0x1_0000 + outputLength;
		const known = this.#tables.get(key);
		if (known !== undefined) {
			return known;
		}
		if (this.#tables.size >= MAX_TABLES) {
			this.#tables.clear();
		}
		const taps = axisTaps(sourceLength, outputLength);
		this.#tables.set(key, taps);
		return taps;
	}
}

// The two loops below touch every sample of every scaled frame: four samples a word, even and odd ones in 16-bit lanes. Reads past an array's
// end do not occur; `| 0` is what tells the compiler (TypeScript) and the engine that each value is a number.

/** One output row of the vertical pass: `count` source rows from word `row`, weighted, into `into`. */
function sumRows(
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
	if (count === 2) {
		const weightA = (weights[firstWeight] as number) | 0;
		const weightB = (weights[firstWeight + 1] as number) | 0;
		for (let word = 0; word < words; word++) {
			const a = (source[row + word] as number) | 0;
			const b = (source[row + strideWords + word] as number) | 0;
			const even = (LANE_HALF + Math.imul(a & LANE_LOW, weightA) + Math.imul(b & LANE_LOW, weightB)) | 0;
			const odd = (LANE_HALF + Math.imul((a >>> 8) & LANE_LOW, weightA) + Math.imul((b >>> 8) & LANE_LOW, weightB)) | 0;
			into[word] = ((even >>> 8) & LANE_LOW) | (odd & LANE_HIGH);
		}
		return;
	}
	for (let word = 0; word < words; word++) {
		let even = LANE_HALF;
		let odd = LANE_HALF;
		let at = row + word;
		for (let tap = 0; tap < count; tap++) {
			const samples = (source[at] as number) | 0;
			const weight = (weights[firstWeight + tap] as number) | 0;
			even = (even + Math.imul(samples & LANE_LOW, weight)) | 0;
			odd = (odd + Math.imul((samples >>> 8) & LANE_LOW, weight)) | 0;
			at += strideWords;
		}
		into[word] = ((even >>> 8) & LANE_LOW) | (odd & LANE_HIGH);
	}
}

/** The horizontal pass over one row. */
function sumColumns(row: Uint8Array, taps: AxisTaps, output: Uint8Array, offset: number, width: number): void {
	const { count, start, weights } = taps;
	if (count === 1) {
		for (let x = 0; x < width; x++) {
			output[offset + x] = row[start[x] as number] as number;
		}
		return;
	}
	if (count === 2) {
		for (let x = 0; x < width; x++) {
			const at = start[x] as number;
			const weight = weights[2 * x + 1] as number;
			const a = row[at] as number;
			output[offset + x] = a + ((((row[at + 1] as number) - a) * weight + 128) >> 8);
		}
		return;
	}
	if (count === 3) {
		for (let x = 0; x < width; x++) {
			const at = start[x] as number;
			const weight = 3 * x;
			output[offset + x] =
				((row[at] as number) * (weights[weight] as number) +
					(row[at + 1] as number) * (weights[weight + 1] as number) +
					(row[at + 2] as number) * (weights[weight + 2] as number) +
					128) >>
				8;
		}
		return;
	}
	for (let x = 0; x < width; x++) {
		const at = start[x] as number;
		const weight = count * x;
		let sum = 128;
		for (let tap = 0; tap < count; tap++) {
			sum += (row[at + tap] as number) * (weights[weight + tap] as number);
		}
		output[offset + x] = sum >> 8;
	}
}
