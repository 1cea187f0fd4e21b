/** Thrown when bytes do not have the shape a format asks for. */
export class MalformedError extends Error {
	override readonly name: string = "MalformedError";
}

/**
 * Bounds-checked big-endian reader over one byte array. Reads never copy unless said so.
 *
 * Every read past the end throws {@link MalformedError} naming how many bytes were expected and how many were left.
 */
export class ByteReader {
	readonly #bytes: Uint8Array;
	readonly #view: DataView;
	#offset = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
		this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	/** Bytes read so far. */
	get offset(): number {
		return this.#offset;
	}

	/** Bytes not read yet. */
	get remaining(): number {
		return this.#bytes.byteLength - this.#offset;
	}

	u8(): number {
		return this.#view.getUint8(this.#take(1));
	}

	u16(): number {
		return this.#view.getUint16(this.#take(2));
	}

	u24(): number {
		const at = this.#take(3);
		return this.#view.getUint16(at) * 0x100 + this.#view.getUint8(at + 2);
	}

	/** Signed 24 bits, two's complement (FLV composition time). */
	i24(): number {
		const value = this.u24();
		return value >= 0x800000 ? value - 0x1000000 : value;
	}

	u32(): number {
		return this.#view.getUint32(this.#take(4));
	}

	/** Unsigned 32 bits, little-endian (RTMP message stream id). */
	u32le(): number {
		return this.#view.getUint32(this.#take(4), true);
	}

	f64(): number {
		return this.#view.getFloat64(this.#take(8));
	}

	/** A view of the next `length` bytes; shares memory with the input. */
	bytes(length: number): Uint8Array {
		const at = this.#take(length);
		return this.#bytes.subarray(at, at + length);
	}

	/** A view of everything not read yet; shares memory with the input. */
	rest(): Uint8Array {
		return this.bytes(this.remaining);
	}

	skip(length: number): void {
		this.#take(length);
	}

	#take(length: number): number {
		if (length < 0 || length > this.remaining) {
			throw new MalformedError(`bytes: expected ${length} more bytes at offset ${this.#offset}, got ${this.remaining}`);
		}
		const at = this.#offset;
		this.#offset += length;
		return at;
	}
}
