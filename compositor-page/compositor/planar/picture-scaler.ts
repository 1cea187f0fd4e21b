import type { Rect } from "../../../media/layout.ts";
import { type AxisTaps, axisTaps } from "./axis-taps.ts";
import type { PictureBuffer, PlanePosition } from "./picture-buffer.ts";
import { gatherColumns, ROWS_AT_ONCE, sumColumns, sumRows } from "./sample-sums.ts";

/** Tables kept for scales in use; a broadcast has a handful, and a sender that grows adds a few. */
const MAX_TABLES = 64;

/** Scales I420 pictures: down by area average, up by linear interpolation. Allocates only when a scale is new. */
export class PictureScaler {
	readonly #tables = new Map<number, AxisTaps>();
	#rows = emptyRows(0);
	#columns = new Uint32Array(0);

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
		if (this.#columns.length < words * 4) {
			this.#rows = emptyRows(words);
			this.#columns = new Uint32Array(words * 4);
		}
		const strideWords = from.stride >> 2;
		const firstWord = from.offset >> 2;
		for (let y = 0; y < height; y += ROWS_AT_ONCE) {
			const rows = Math.min(ROWS_AT_ONCE, height - y);
			for (let row = 0; row < rows; row++) {
				const start = firstWord + (down.start[y + row] as number) * strideWords;
				const firstWeight = (y + row) * down.count;
				sumRows(
					source.words,
					start,
					strideWords,
					words,
					down.weights,
					firstWeight,
					down.count,
					this.#rows[row] as Uint32Array,
				);
			}
			gatherColumns(this.#rows, words, this.#columns);
			sumColumns(this.#columns, across, output, outputOffset + y * outputStride, outputStride, width, rows);
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

function emptyRows(words: number): readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array] {
	return [new Uint32Array(words), new Uint32Array(words), new Uint32Array(words), new Uint32Array(words)];
}
