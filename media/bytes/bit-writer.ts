import { ByteWriter } from "./byte-writer.ts";

/** Writes bits, most significant first. Each method returns the writer, so that a layout reads like its table in the specification. */
export class BitWriter {
	readonly #writer = new ByteWriter();
	#current = 0;
	#bitsInCurrent = 0;

	/** The lowest `count` bits of `value`, up to 32. */
	bits(value: number, count: number): this {
		for (let shift = count - 1; shift >= 0; shift -= 1) {
			this.#current = (this.#current << 1) | ((value >>> shift) & 1);
			this.#bitsInCurrent += 1;
			if (this.#bitsInCurrent === 8) {
				this.#writer.u8(this.#current);
				this.#current = 0;
				this.#bitsInCurrent = 0;
			}
		}
		return this;
	}

	flag(value: boolean): this {
		return this.bits(value ? 1 : 0, 1);
	}

	/** Everything written, the last byte filled up with zeros: do not write after taking it. */
	finish(): Uint8Array<ArrayBuffer> {
		if (this.#bitsInCurrent > 0) {
			this.bits(0, 8 - this.#bitsInCurrent);
		}
		return this.#writer.finish();
	}
}
