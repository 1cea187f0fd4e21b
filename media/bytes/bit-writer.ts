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

	/** An unsigned Exp-Golomb code of a number below 2^31, `ue(v)` (ITU-T H.264 §9.1). */
	ue(value: number): this {
		const length = 32 - Math.clz32(value + 1);
		return this.bits(0, length - 1).bits(value + 1, length);
	}

	/** The bits of `bytes` from bit `begin` up to bit `end`, which must be within them. */
	bitsOf(bytes: Uint8Array, begin: number, end: number): this {
		let at = begin;
		const shift = begin % 8;
		for (; end - at >= 8; at += 8) {
			const index = (at - shift) / 8;
			const pair = ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
			this.#octet((pair >> (8 - shift)) & 0xff);
		}
		for (; at < end; at += 1) {
			this.bits((bytes[at >> 3] ?? 0) >> (7 - (at % 8)), 1);
		}
		return this;
	}

	/** Eight bits at once: a picture has hundreds of thousands. */
	#octet(value: number): void {
		const current = (this.#current << 8) | value;
		this.#writer.u8((current >> this.#bitsInCurrent) & 0xff);
		this.#current = current & ((1 << this.#bitsInCurrent) - 1);
	}

	/** Fills the last byte up with ones, where it is not whole. */
	alignWithOnes(): this {
		while (this.#bitsInCurrent > 0) {
			this.bits(1, 1);
		}
		return this;
	}

	/** Everything written, the last byte filled up with zeros: do not write after taking it. */
	finish(): Uint8Array<ArrayBuffer> {
		if (this.#bitsInCurrent > 0) {
			this.bits(0, 8 - this.#bitsInCurrent);
		}
		return this.#writer.finish();
	}
}
