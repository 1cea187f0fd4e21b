import type { PictureMemory } from "../../kernels/picture-memory.ts";
import { type PictureBuffer, type PlanePositions, pictureLayout } from "./picture-buffer.ts";

/** A picture where the kernels reach it, of whatever size it is at the moment; its memory goes with all of theirs. */
export class MemoryPicture implements PictureBuffer {
	readonly #memory: PictureMemory;
	#width = 0;
	#height = 0;
	#planes: PlanePositions = pictureLayout(0, 0).planes;
	#address: number | undefined;
	#capacity = 0;
	#size = 0;
	/** Of `#whole`, so that a look at the bytes makes no new object. */
	#bytes = new Uint8Array(0);
	#whole: Uint8Array | undefined;

	/** Nothing until it is resized. */
	constructor(memory: PictureMemory) {
		this.#memory = memory;
	}

	static of(memory: PictureMemory, width: number, height: number): MemoryPicture {
		const picture = new MemoryPicture(memory);
		picture.resize(width, height);
		return picture;
	}

	get width(): number {
		return this.#width;
	}

	get height(): number {
		return this.#height;
	}

	get planes(): PlanePositions {
		return this.#planes;
	}

	/** To be read anew after anything that takes memory. */
	get bytes(): Uint8Array<ArrayBuffer> {
		const { bytes } = this.#memory;
		if (this.#whole !== bytes) {
			const address = this.#address ?? 0;
			this.#whole = bytes;
			this.#bytes = bytes.subarray(address, address + this.#size);
		}
		return this.#bytes;
	}

	/** Where sample (x, y) of a plane lies in the kernels' memory, counted in the plane's own samples. */
	address(plane: 0 | 1 | 2, x = 0, y = 0): number {
		const { offset, stride } = this.#planes[plane];
		return (this.#address ?? 0) + offset + y * stride + x;
	}

	/** What it shows is then anything. Takes memory only where it has less than it needs; true when the size is another. */
	resize(width: number, height: number): boolean {
		if (width === this.#width && height === this.#height) {
			return false;
		}
		const { planes, bytes } = pictureLayout(width, height);
		if (bytes > this.#capacity) {
			if (this.#address !== undefined) {
				this.#memory.giveBack(this.#address);
				this.#address = undefined;
				this.#capacity = 0;
			}
			this.#address = this.#memory.take(bytes);
			this.#capacity = bytes;
		}
		this.#width = width;
		this.#height = height;
		this.#planes = planes;
		this.#size = bytes;
		this.#whole = undefined;
		return true;
	}
}
