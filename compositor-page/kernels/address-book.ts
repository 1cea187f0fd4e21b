/** Each address is a multiple: of one SIMD register, and no two things share a cache line. */
const ALIGNMENT = 64;

interface Range {
	readonly address: number;
	readonly bytes: number;
}

/**
 * Which parts of a memory are taken: first fit, and neighbours that were given back become one again. Holds no memory itself. What is asked for is a few
 * pictures, seldom and large, so that a list in order does.
 */
export class AddressBook {
	#free: Range[] = [];
	#taken = new Map<number, number>();
	#end: number;

	/** Everything from `start` on, without an end. */
	constructor(start: number) {
		this.#end = alignUp(start);
	}

	/** The first byte after all that is taken: as much memory there must be. */
	get end(): number {
		return this.#end;
	}

	/** An address with `bytes` bytes to it. */
	take(bytes: number): number {
		const size = alignUp(Math.max(bytes, 1));
		const index = this.#free.findIndex((range) => range.bytes >= size);
		const found = this.#free[index];
		let address = this.#end;
		if (found === undefined) {
			this.#end += size;
		} else {
			address = found.address;
			const rest = { address: address + size, bytes: found.bytes - size };
			this.#free.splice(index, 1, ...(rest.bytes > 0 ? [rest] : []));
		}
		this.#taken.set(address, size);
		return address;
	}

	/** Throws on an address that is not taken: two owners of one place would show in pictures, much later. */
	giveBack(address: number): void {
		const bytes = this.#taken.get(address);
		if (bytes === undefined) {
			throw new RangeError(`memory: expected an address that is taken, got ${address}`);
		}
		this.#taken.delete(address);
		const after = this.#free.findIndex((range) => range.address > address);
		const at = after < 0 ? this.#free.length : after;
		this.#free.splice(at, 0, { address, bytes });
		this.#join(at);
		this.#join(at - 1);
		const last = this.#free.at(-1);
		if (last !== undefined && last.address + last.bytes === this.#end) {
			this.#free.pop();
			this.#end = last.address;
		}
	}

	/** Makes one of the free range at `index` and the next, where they touch. */
	#join(index: number): void {
		const [first, second] = [this.#free[index], this.#free[index + 1]];
		if (index >= 0 && first !== undefined && second !== undefined && first.address + first.bytes === second.address) {
			this.#free.splice(index, 2, { address: first.address, bytes: first.bytes + second.bytes });
		}
	}
}

function alignUp(bytes: number): number {
	return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
