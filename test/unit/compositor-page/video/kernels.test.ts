import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AddressBook } from "../../../../compositor-page/kernels/address-book.ts";
import { PictureMemory } from "../../../../compositor-page/kernels/picture-memory.ts";

const memory = new PictureMemory();
const { kernels } = memory;

/** Puts bytes where the kernels reach them. */
function put(bytes: Uint8Array): number {
	const address = memory.take(bytes.length);
	memory.bytes.set(bytes, address);
	return address;
}

function noise(length: number, seed: number): Uint8Array {
	let state = seed | 1;
	return Uint8Array.from({ length }, () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
		return state >>> 24;
	});
}

const width = fc.integer({ min: 1, max: 70 });
const height = fc.integer({ min: 1, max: 9 });
const seed = fc.integer();
/** Bytes between rows, which must stay as they are. */
const gap = fc.integer({ min: 0, max: 5 });

describe("kernels agree with their definition, sample by sample, and touch nothing beside their rectangle", () => {
	test("copyPlane", () => {
		fc.assert(
			fc.property(width, height, gap, seed, (wide, high, spare, from) => {
				const stride = wide + spare;
				const source = noise(stride * high, from);
				const before = noise(stride * high, from + 1);
				const [a, b] = [put(source), put(before)];
				kernels.copyPlane(a, stride, b, stride, wide, high);
				const at = (index: number) => index % stride < wide;
				expect(memory.bytes.slice(b, b + before.length)).toEqual(
					before.map((old, index) => (at(index) ? (source[index] ?? 0) : old)),
				);
				for (const address of [a, b]) {
					memory.giveBack(address);
				}
			}),
		);
	});

	test("splitPairs", () => {
		fc.assert(
			fc.property(width, height, gap, seed, (pairs, high, spare, from) => {
				const [sourceStride, stride] = [2 * pairs + spare, pairs + spare];
				const source = noise(sourceStride * high, from);
				const before = noise(stride * high, from + 1);
				const [a, b, c] = [put(source), put(before), put(before)];
				kernels.splitPairs(a, sourceStride, b, c, stride, pairs, high);
				for (const [address, side] of [
					[b, 0],
					[c, 1],
				] as const) {
					const expected = before.map((old, index) => {
						const [x, y] = [index % stride, Math.floor(index / stride)];
						return x < pairs ? (source[y * sourceStride + 2 * x + side] ?? 0) : old;
					});
					expect(memory.bytes.slice(address, address + before.length)).toEqual(expected);
				}
				for (const address of [a, b, c]) {
					memory.giveBack(address);
				}
			}),
		);
	});

	test("blendPlane", () => {
		fc.assert(
			fc.property(width, height, gap, seed, (wide, high, spare, from) => {
				const graphicStride = wide + spare;
				const alpha = noise(graphicStride * high, from).map((each, index) => (index % 7 === 0 ? 255 : each));
				const level = noise(graphicStride * high, from + 1);
				const colour = Uint16Array.from(level, (each, index) => each * ((alpha[index] ?? 0) + 1));
				const through = Uint16Array.from(alpha, (each) => 255 - each);
				const stride = wide + 3;
				const before = noise(stride * high, from + 2);
				const [a, b, c] = [put(new Uint8Array(colour.buffer)), put(new Uint8Array(through.buffer)), put(before)];
				kernels.blendPlane(a, b, graphicStride, c, stride, wide, high);
				const expected = before.map((under, index) => {
					const [x, y] = [index % stride, Math.floor(index / stride)];
					const at = y * graphicStride + x;
					return x < wide ? ((colour[at] ?? 0) + under * (through[at] ?? 0) + 128) >> 8 : under;
				});
				expect(memory.bytes.slice(c, c + before.length)).toEqual(expected);
				for (const address of [a, b, c]) {
					memory.giveBack(address);
				}
			}),
		);
	});

	test("maskPlane", () => {
		fc.assert(
			fc.property(width, height, gap, seed, (wide, high, spare, from) => {
				const [sourceStride, maskStride, stride] = [wide + spare, wide + 1, wide + 2];
				const source = noise(sourceStride * high, from);
				const mask = Uint16Array.from(noise(maskStride * high, from + 1), (each) => (each > 200 ? 256 : each));
				const before = noise(stride * high, from + 2);
				const [a, b, c] = [put(source), put(new Uint8Array(mask.buffer)), put(before)];
				kernels.maskPlane(a, sourceStride, b, maskStride, c, stride, wide, high);
				const expected = before.map((under, index) => {
					const [x, y] = [index % stride, Math.floor(index / stride)];
					const alpha = mask[y * maskStride + x] ?? 0;
					const over = source[y * sourceStride + x] ?? 0;
					return x < wide ? (over * alpha + under * (256 - alpha) + 128) >> 8 : under;
				});
				expect(memory.bytes.slice(c, c + before.length)).toEqual(expected);
				for (const address of [a, b, c]) {
					memory.giveBack(address);
				}
			}),
		);
	});

	test("convertColours, with any weights", () => {
		const weight = fc.integer({ min: -16_384, max: 16_384 });
		const weights = fc.tuple(fc.integer({ min: 4_000, max: 9_000 }), weight, weight, weight, weight, weight, weight);
		fc.assert(
			fc.property(width, height, seed, weights, fc.constantFrom(0, 16), (wide, high, from, own, zero) => {
				const [lumaStride, stride] = [2 * wide + 3, wide + 1];
				const [y, u, v] = [
					noise(lumaStride * high * 2, from),
					noise(stride * high, from + 1),
					noise(stride * high, from + 2),
				];
				const addresses = [put(y), put(u), put(v), put(new Uint8Array(Int16Array.from(own).buffer))] as const;
				kernels.convertColours(
					addresses[0],
					lumaStride,
					addresses[1],
					addresses[2],
					stride,
					wide,
					high,
					addresses[3],
					zero,
				);
				const level = (fixed: number, base: number) =>
					Math.max(0, Math.min(255, (fixed + (base << 13) + (1 << 12)) >> 13));
				const at = (plane: Uint8Array, index: number) => (plane[index] ?? 0) - 128;
				const chroma = (ofU: number, ofV: number) => (old: number, index: number) =>
					index % stride < wide ? level(at(u, index) * ofU + at(v, index) * ofV, 128) : old;
				expect(memory.bytes.slice(addresses[1], addresses[1] + u.length)).toEqual(u.map(chroma(own[3], own[4])));
				expect(memory.bytes.slice(addresses[2], addresses[2] + v.length)).toEqual(v.map(chroma(own[5], own[6])));
				const luma = y.map((old, index) => {
					const [x, row] = [index % lumaStride, Math.floor(index / lumaStride)];
					const of = (row >> 1) * stride + (x >> 1);
					return x < 2 * wide ? level((old - zero) * own[0] + at(u, of) * own[1] + at(v, of) * own[2], 16) : old;
				});
				expect(memory.bytes.slice(addresses[0], addresses[0] + y.length)).toEqual(luma);
				for (const address of addresses) {
					memory.giveBack(address);
				}
			}),
		);
	});
});

describe("memory for pictures", () => {
	test("what is taken never overlaps, whatever is taken and given back, and room is used again", () => {
		const step = fc.oneof(
			fc.record({ take: fc.integer({ min: 0, max: 5_000 }) }),
			fc.record({ giveBack: fc.nat({ max: 20 }) }),
		);
		fc.assert(
			fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
				const book = new AddressBook(1);
				const taken: { address: number; bytes: number }[] = [];
				for (const each of steps) {
					if ("take" in each) {
						const own = { address: book.take(each.take), bytes: each.take };
						expect(own.address % 64).toBe(0);
						expect(own.address).toBeGreaterThan(0);
						expect(own.address + own.bytes).toBeLessThanOrEqual(book.end);
						for (const other of taken) {
							expect(own.address + own.bytes <= other.address || other.address + other.bytes <= own.address).toBe(true);
						}
						taken.push(own);
					} else {
						const [own] = taken.splice(each.giveBack % Math.max(taken.length, 1), 1);
						if (own !== undefined) {
							book.giveBack(own.address);
						}
					}
				}
				for (const { address } of taken) {
					book.giveBack(address);
				}
				expect(book.end).toBe(64);
			}),
		);
	});

	test("an address that is not taken cannot be given back, nor twice", () => {
		const book = new AddressBook(1);
		const address = book.take(10);
		book.take(10);
		expect(() => book.giveBack(address + 32)).toThrow("memory: expected an address that is taken, got 96");
		book.giveBack(address);
		expect(() => book.giveBack(address)).toThrow("got 64");
	});

	test("grows, keeps what it holds, and refuses what no compositor needs", () => {
		const own = new PictureMemory();
		const address = own.take(4);
		own.bytes.set([1, 2, 3, 4], address);
		const before = own.bytes;
		own.take(10_000_000);
		expect(own.bytes).not.toBe(before);
		expect([...own.bytes.subarray(address, address + 4)]).toEqual([1, 2, 3, 4]);
		expect(() => own.take(600 * 1_024 * 1_024)).toThrow(
			"compositor: expected room for 629145600 more bytes of pictures",
		);
		// A refusal takes nothing: what is asked for next is there.
		expect(own.take(1_000)).toBeGreaterThan(0);
	});
});
