import fc from "fast-check";
import { expect, test } from "vitest";
import { BitReader } from "../../../media/bytes/bit-reader.ts";
import { BitWriter } from "../../../media/bytes/bit-writer.ts";
import { bitText } from "./idr-bits.ts";

test("any run of bits is copied to any place", () => {
	const run = fc
		.uint8Array({ minLength: 1, maxLength: 12 })
		.chain((bytes) => fc.tuple(fc.constant(bytes), fc.nat(bytes.length * 8), fc.nat(bytes.length * 8)));
	fc.assert(
		fc.property(fc.nat(7), run, fc.nat(3), (before, [bytes, one, other], after) => {
			const [begin, end] = [Math.min(one, other), Math.max(one, other)];
			const written = new BitWriter().bits(0x55, before).bitsOf(bytes, begin, end).bits(5, after).finish();
			const head = bitText(new BitWriter().bits(0x55, before).finish()).slice(0, before);
			const tail = bitText(new BitWriter().bits(5, after).finish()).slice(0, after);
			const expected = head + bitText(bytes).slice(begin, end) + tail;
			expect(bitText(written)).toBe(expected.padEnd(Math.ceil(expected.length / 8) * 8, "0"));
		}),
		{ numRuns: 2000 },
	);
});

test("Exp-Golomb codes are read back, up to the largest", () => {
	const value = fc.oneof(fc.nat(20), fc.nat(2 ** 31 - 2), fc.constant(2 ** 31 - 2));
	fc.assert(
		fc.property(fc.array(value, { maxLength: 8 }), (values) => {
			const bits = new BitReader(values.reduce((writer, each) => writer.ue(each), new BitWriter()).finish());
			expect(values.map(() => bits.ue())).toEqual(values);
		}),
	);
});

test("the last byte is filled up with ones where it is not whole", () => {
	expect(new BitWriter().bits(0, 3).alignWithOnes().finish()).toEqual(Uint8Array.of(0x1f));
	expect(new BitWriter().bits(0, 8).alignWithOnes().finish()).toEqual(Uint8Array.of(0));
});
