import type { Rect } from "../../../media/layout.ts";
import { RecentlyUsed } from "../../graphics/recently-used.ts";
import type { PictureMemory } from "../../kernels/picture-memory.ts";
import { axisTaps } from "./axis-taps.ts";
import type { MemoryPicture } from "./memory-picture.ts";

/** Tables kept for scales in use; a broadcast has a handful, and a sender that grows adds a few. */
const MAX_TABLES = 64;
/** Rows that go through the kernel together, and the bytes a row's room is rounded up to. */
const ROWS_AT_ONCE = 8;
const ROW_ALIGNMENT = 16;

/** Taps of an axis where the kernel reads them. */
interface TapTable {
	readonly count: number;
	readonly start: number;
	readonly weights: number;
}

/** Scales I420 pictures: down by area average, up by linear interpolation. Takes memory only when a scale is new. */
export class PictureScaler {
	readonly #memory: PictureMemory;
	readonly #tables: RecentlyUsed<number, TapTable>;
	#room: number | undefined;
	#roomBytes = 0;

	constructor(memory: PictureMemory) {
		this.#memory = memory;
		// Both lists of a table begin where its first does.
		this.#tables = new RecentlyUsed(MAX_TABLES, ({ start }) => memory.giveBack(start));
	}

	/** Fills `target` (even numbers) in `output` with the whole of `source`. */
	scale(source: MemoryPicture, output: MemoryPicture, target: Rect): void {
		for (const plane of [0, 1, 2] as const) {
			const shift = plane === 0 ? 0 : 1;
			const sourceWidth = source.width >> shift;
			const width = target.width >> shift;
			const height = target.height >> shift;
			const across = this.#taps(sourceWidth, width);
			const down = this.#taps(source.height >> shift, height);
			const rowBytes = alignUp(Math.max(sourceWidth, width)) * ROWS_AT_ONCE;
			const room = this.#roomFor(3 * rowBytes);
			this.#memory.kernels.scalePlane(
				source.address(plane),
				source.planes[plane].stride,
				sourceWidth,
				output.address(plane, target.x >> shift, target.y >> shift),
				output.planes[plane].stride,
				width,
				height,
				down.count,
				down.start,
				down.weights,
				across.count,
				across.start,
				across.weights,
				room,
				room + rowBytes,
				room + 2 * rowBytes,
			);
		}
	}

	#roomFor(bytes: number): number {
		if (this.#room === undefined || this.#roomBytes < bytes) {
			if (this.#room !== undefined) {
				this.#memory.giveBack(this.#room);
			}
			this.#room = this.#memory.take(bytes);
			this.#roomBytes = bytes;
		}
		return this.#room;
	}

	#taps(sourceLength: number, outputLength: number): TapTable {
		const key = sourceLength * 0x1_0000 + outputLength;
		return this.#tables.get(key, () => {
			const { count, start, weights } = axisTaps(sourceLength, outputLength);
			const address = this.#memory.take(start.byteLength + weights.byteLength);
			const { buffer } = this.#memory.bytes;
			new Uint16Array(buffer, address, start.length).set(start);
			new Uint16Array(buffer, address + start.byteLength, weights.length).set(weights);
			return { count, start: address, weights: address + start.byteLength };
		});
	}
}

function alignUp(bytes: number): number {
	return Math.ceil(bytes / ROW_ALIGNMENT) * ROW_ALIGNMENT;
}
