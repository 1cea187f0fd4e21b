import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BitReader } from "../../../media/bytes/bit-reader.ts";
import { BitWriter } from "../../../media/bytes/bit-writer.ts";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { hex } from "./hex.ts";

/** ITU-T H.264 Tables 9-2 and 9-3: code words with the unsigned and signed numbers they stand for. */
const EXP_GOLOMB = [
	{ code: "1", unsigned: 0, signed: 0 },
	{ code: "010", unsigned: 1, signed: 1 },
	{ code: "011", unsigned: 2, signed: -1 },
	{ code: "00100", unsigned: 3, signed: 2 },
	{ code: "00101", unsigned: 4, signed: -2 },
	{ code: "00111", unsigned: 6, signed: -3 },
	{ code: "0001010", unsigned: 9, signed: 5 },
	{ code: `${"0".repeat(31)}1${"1".repeat(31)}`, unsigned: 2 ** 32 - 2, signed: -(2 ** 31 - 1) },
] as const;

function packed(code: string): Uint8Array {
	const writer = new BitWriter();
	for (const bit of code) {
		writer.flag(bit === "1");
	}
	return writer.finish();
}

describe.each(EXP_GOLOMB)("Exp-Golomb code $code", ({ code, unsigned, signed }) => {
	test(`is ${unsigned} unsigned and ${signed} signed`, () => {
		expect(new BitReader(packed(code)).ue()).toBe(unsigned);
		expect(new BitReader(packed(code)).se()).toBe(signed);
	});
});

test("an Exp-Golomb code of more than 32 bits is refused", () => {
	expect(() => new BitReader(hex("00000000 ffffffff ff")).ue()).toThrow(MalformedError);
});

test("bits past the end are refused", () => {
	const reader = new BitReader(hex("a5"));
	expect(reader.bits(5)).toBe(0b10100);
	expect(reader.remaining).toBe(3);
	expect(() => reader.bits(4)).toThrow(MalformedError);
});

test("what is written in fields of any width is read back", () => {
	const field = fc
		.integer({ min: 1, max: 32 })
		.chain((count) => fc.record({ count: fc.constant(count), value: fc.integer({ min: 0, max: 2 ** count - 1 }) }));
	fc.assert(
		fc.property(fc.array(field), (fields) => {
			const writer = new BitWriter();
			for (const { value, count } of fields) {
				writer.bits(value, count);
			}
			const reader = new BitReader(writer.finish());
			expect(fields.map(({ count }) => reader.bits(count))).toEqual(fields.map(({ value }) => value));
			expect(reader.remaining).toBeLessThan(8);
		}),
	);
});
