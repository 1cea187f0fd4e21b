import { ByteReader, MalformedError } from "./byte-reader.ts";

/** Bits an unsigned Exp-Golomb code may have before its 1: more would not fit 32 bits (ITU-T H.264 §9.1). */
const MAX_LEADING_ZEROS = 31;

/** Reads bits, most significant first. Throws {@link MalformedError} past the end. */
export class BitReader {
	readonly #reader: ByteReader;
	#current = 0;
	#bitsLeftInCurrent = 0;

	constructor(bytes: Uint8Array) {
		this.#reader = new ByteReader(bytes);
	}

	/** Bits not read yet. */
	get remaining(): number {
		return this.#reader.remaining * 8 + this.#bitsLeftInCurrent;
	}

	bit(): number {
		if (this.#bitsLeftInCurrent === 0) {
			this.#current = this.#reader.u8();
			this.#bitsLeftInCurrent = 8;
		}
		this.#bitsLeftInCurrent -= 1;
		return (this.#current >> this.#bitsLeftInCurrent) & 1;
	}

	flag(): boolean {
		return this.bit() === 1;
	}

	/** An unsigned number of up to 32 bits, `u(n)`. */
	bits(count: number): number {
		let value = 0;
		for (let index = 0; index < count; index += 1) {
			value = value * 2 + this.bit();
		}
		return value;
	}

	skip(count: number): void {
		for (let index = 0; index < count; index += 1) {
			this.bit();
		}
	}

	/** An unsigned Exp-Golomb code, `ue(v)` (ITU-T H.264 §9.1). */
	ue(): number {
		let zeros = 0;
		while (this.bit() === 0) {
			zeros += 1;
			if (zeros > MAX_LEADING_ZEROS) {
				throw new MalformedError(`bits: expected an Exp-Golomb code of at most ${MAX_LEADING_ZEROS} zeros, got more`);
			}
		}
		return 2 ** zeros - 1 + this.bits(zeros);
	}

	/** A signed Exp-Golomb code, `se(v)` (ITU-T H.264 §9.1.1). */
	se(): number {
		const code = this.ue();
		return code % 2 === 1 ? (code + 1) / 2 : 0 - code / 2;
	}
}
