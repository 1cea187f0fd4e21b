import { AddressBook } from "./address-book.ts";
import { type Kernels, kernelsOver } from "./kernels.ts";

/** WebAssembly counts memory in pages of 64 KiB (WebAssembly Core 2.0, §2.5.5). */
const PAGE_BYTES = 65_536;
/** Kernels read a register past a row's end. */
const SLACK_BYTES = 64;
/** A program of 4K with four sources of 4K, its graphics and as much again. */
const MAX_BYTES = 512 * 1_024 * 1_024;

/** The memory in which one compositor's pictures lie, and the kernels that work on it. Address 0 is never given out. */
export class PictureMemory {
	readonly kernels: Kernels;
	readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_BYTES / PAGE_BYTES });
	readonly #book = new AddressBook(1);
	#bytes = new Uint8Array(this.#memory.buffer);

	constructor() {
		this.kernels = kernelsOver(this.#memory);
	}

	/** All of it. What was got before a `take` may be gone after it: memory that grows is another buffer. */
	get bytes(): Uint8Array<ArrayBuffer> {
		return this.#bytes;
	}

	/** Takes room for `bytes`, not cleared, and grows where there is not enough. Throws when that passes 512 MiB, or all the machine has. */
	take(bytes: number): number {
		const address = this.#book.take(bytes);
		const missing = this.#book.end + SLACK_BYTES - this.#bytes.length;
		if (missing > 0) {
			try {
				this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
			} catch (error) {
				this.#book.giveBack(address);
				throw new RangeError(
					`compositor: expected room for ${bytes} more bytes of pictures, got none: ${String(error)}`,
					{
						cause: error,
					},
				);
			}
			this.#bytes = new Uint8Array(this.#memory.buffer);
		}
		return address;
	}

	giveBack(address: number): void {
		this.#book.giveBack(address);
	}
}
