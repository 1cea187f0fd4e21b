const FIRST_CAPACITY = 64;

/** Growing big-endian writer. Each method returns the writer, so that a layout reads like its table in the specification. */
export class ByteWriter {
	#bytes: Uint8Array<ArrayBuffer>;
	#view: DataView<ArrayBuffer>;
	#length = 0;

	/** @param capacity bytes to reserve at once when the final size is known or guessed */
	constructor(capacity: number = FIRST_CAPACITY) {
		this.#bytes = new Uint8Array(Math.max(capacity, 1));
		this.#view = new DataView(this.#bytes.buffer);
	}

	/** Bytes written so far. */
	get length(): number {
		return this.#length;
	}

	u8(value: number): this {
		const at = this.#grow(1);
		this.#view.setUint8(at, value);
		return this;
	}

	u16(value: number): this {
		const at = this.#grow(2);
		this.#view.setUint16(at, value);
		return this;
	}

	u24(value: number): this {
		const at = this.#grow(3);
		this.#view.setUint8(at, (value >> 16) & 0xff);
		this.#view.setUint16(at + 1, value & 0xffff);
		return this;
	}

	/** Signed 24 bits, two's complement (FLV composition time). */
	i24(value: number): this {
		return this.u24(value & 0xffffff);
	}

	u32(value: number): this {
		const at = this.#grow(4);
		this.#view.setUint32(at, value >>> 0);
		return this;
	}

	/** Unsigned 32 bits, little-endian (RTMP message stream id). */
	u32le(value: number): this {
		const at = this.#grow(4);
		this.#view.setUint32(at, value >>> 0, true);
		return this;
	}

	f64(value: number): this {
		const at = this.#grow(8);
		this.#view.setFloat64(at, value);
		return this;
	}

	bytes(value: Uint8Array): this {
		const at = this.#grow(value.byteLength);
		this.#bytes.set(value, at);
		return this;
	}

	/** Everything written, as a view of the writer's memory: do not write after taking it. */
	finish(): Uint8Array<ArrayBuffer> {
		return this.#bytes.subarray(0, this.#length);
	}

	/** Makes room and gives its offset. May replace the view, so it is called before the view is named. */
	#grow(length: number): number {
		const at = this.#length;
		const needed = at + length;
		if (needed > this.#bytes.byteLength) {
			const larger = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2));
			larger.set(this.#bytes.subarray(0, at));
			this.#bytes = larger;
			this.#view = new DataView(larger.buffer);
		}
		this.#length = needed;
		return at;
	}
}
