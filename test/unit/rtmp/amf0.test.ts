import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { type Amf0Object, type Amf0Value, EcmaArray, readAmf0, writeAmf0 } from "../../../rtmp/amf0.ts";
import { MAX_AMF0_DEPTH } from "../../../rtmp/limits.ts";
import { hex } from "../../support/rtmp/hex.ts";

const ROWS: readonly { name: string; value: Amf0Value; bytes: Uint8Array; readOnly?: true }[] = [
	{ name: "zero", value: 0, bytes: hex("00 0000000000000000") },
	{ name: "a number", value: -1.5, bytes: hex("00 bff8000000000000") },
	{ name: "true", value: true, bytes: hex("01 01") },
	{ name: "false", value: false, bytes: hex("01 00") },
	{ name: "true as any byte but 0", value: true, bytes: hex("01 7f"), readOnly: true },
	{ name: "an empty string", value: "", bytes: hex("02 0000") },
	{ name: "a string", value: "live", bytes: hex("02 0004 6c697665") },
	{ name: "a string beyond ASCII", value: "é€", bytes: hex("02 0005 c3a9 e282ac") },
	{ name: "a string with a byte order mark", value: "\ufeffa", bytes: hex("02 0004 efbbbf 61") },
	{ name: "a string that is not UTF-8", value: "\ufffd", bytes: hex("02 0001 ff"), readOnly: true },
	{ name: "null", value: null, bytes: hex("05") },
	{ name: "undefined", value: undefined, bytes: hex("06") },
	{ name: "unsupported", value: undefined, bytes: hex("0d"), readOnly: true },
	{ name: "an empty object", value: {}, bytes: hex("03 0000 09") },
	{
		name: "an object",
		value: { app: "live", n: 1, inner: { yes: true } },
		bytes: hex(
			"03 0003617070 020004 6c697665 00016e 003ff0000000000000 0005696e6e6572 03 0003796573 0101 000009 000009",
		),
	},
	{ name: "an object with a nameless property", value: { "": 1 }, bytes: hex("03 0000 003ff0000000000000 000009") },
	{ name: "an ECMA array", value: new EcmaArray({ w: 1 }), bytes: hex("08 00000001 000177 003ff0000000000000 000009") },
	{
		name: "an ECMA array that miscounts",
		value: new EcmaArray({ w: 1 }),
		bytes: hex("08 00000000 000177 003ff0000000000000 000009"),
		readOnly: true,
	},
	{
		name: "a strict array",
		value: ["a", null, [2]],
		bytes: hex("0a 00000003 02000161 05 0a 00000001 004000000000000000"),
	},
	{ name: "a date", value: new Date(1_000), bytes: hex("0b 408f400000000000 0000") },
	{ name: "a long string", value: "ab", bytes: hex("0c 00000002 6162"), readOnly: true },
	{ name: "an XML document", value: "<a/>", bytes: hex("0f 00000004 3c612f3e"), readOnly: true },
	{ name: "a typed object", value: { a: null }, bytes: hex("10 000143 000161 05 000009"), readOnly: true },
];

describe.each(ROWS)("amf0: $name", ({ value, bytes }) => {
	it("is read", () => {
		expect(readAmf0(bytes)).toEqual([value]);
	});

	it("is malformed when cut at any byte", () => {
		for (let length = 1; length < bytes.length; length += 1) {
			expect(() => readAmf0(bytes.subarray(0, length))).toThrow(MalformedError);
		}
	});
});

describe("amf0", () => {
	it.each(ROWS.filter(({ readOnly }) => readOnly === undefined))("writes $name", ({ value, bytes }) => {
		expect(writeAmf0([value])).toEqual(bytes);
	});

	it("reads value after value", () => {
		expect(readAmf0(hex("02000161 05 0101"))).toEqual(["a", null, true]);
	});

	it("keeps a property named __proto__ a property", () => {
		const [value] = readAmf0(hex("03 0009 5f5f70726f746f5f5f 03 000161 0101 000009 000009"));
		expect(Object.keys(value as Amf0Object)).toEqual(["__proto__"]);
		expect((value as { a?: unknown }).a).toBeUndefined();
	});

	it.each([
		["a reference", "07 0000", "got 0x07"],
		["a movie clip", "04", "got 0x04"],
		["an AMF3 value", "11 01", "got 0x11"],
		["an end marker", "09", "got 0x09"],
		["a marker of no type", "ff", "got 0xff"],
	])("refuses %s", (_, bytes, message) => {
		expect(() => readAmf0(hex(bytes))).toThrow(`amf0: expected a type marker at offset 0, ${message}`);
	});

	it("reads objects as deep as its limit and none deeper", () => {
		const nested = (depth: number) => hex(`${"03000161".repeat(depth)}05${"000009".repeat(depth)}`);
		expect(readAmf0(nested(MAX_AMF0_DEPTH))).toHaveLength(1);
		expect(() => readAmf0(nested(MAX_AMF0_DEPTH + 1))).toThrow("amf0: expected nesting of at most 16, got more");
		expect(() => readAmf0(hex("0a00000001".repeat(100_000)))).toThrow("amf0: expected nesting of at most 16, got more");
	});

	it("refuses a string longer than its limit before reading it", () => {
		expect(() => readAmf0(hex("0c 7fffffff 61"))).toThrow(
			"amf0: expected a string of at most 262144 bytes, got 2147483647",
		);
	});

	it("refuses more values than its limit", () => {
		expect(() => readAmf0(new Uint8Array(5_000).fill(5))).toThrow("amf0: expected at most 4096 values, got more");
	});

	it("refuses an array that counts more values than bytes are left", () => {
		expect(() => readAmf0(hex("0a ffffffff 05"))).toThrow(
			"amf0: expected an array of at most 1 values here, got a count of 4294967295",
		);
	});

	it("writes strings above 65535 bytes in the long form, and reads them back", () => {
		const long = "x".repeat(65_536);
		const bytes = writeAmf0([long]);
		expect(bytes.subarray(0, 5)).toEqual(hex("0c 00010000"));
		expect(readAmf0(bytes)).toEqual([long]);
	});

	it("reads back whatever it writes", () => {
		const { value } = fc.letrec<{ value: Amf0Value }>((tie) => ({
			value: fc.oneof(
				{ maxDepth: 4 },
				fc.double(),
				fc.boolean(),
				fc.string({ unit: "grapheme" }),
				fc.constantFrom(null, undefined),
				fc.date(),
				fc.array(tie("value"), { maxLength: 4 }),
				fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }),
				fc.dictionary(fc.string(), tie("value"), { maxKeys: 4 }).map((entries) => new EcmaArray(entries as Amf0Object)),
			) as fc.Arbitrary<Amf0Value>,
		}));
		fc.assert(
			fc.property(fc.array(value), (values) => {
				expect(readAmf0(writeAmf0(values))).toEqual(values);
			}),
		);
	});

	it("reads any bytes or calls them malformed", () => {
		// Mostly markers and small numbers, or nearly nothing would get past the first byte.
		const byte = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 17 }) }, fc.integer({ min: 0, max: 255 }));
		fc.assert(
			fc.property(fc.array(byte, { maxLength: 200 }), (bytes) => {
				try {
					readAmf0(Uint8Array.from(bytes));
				} catch (error) {
					expect(error).toBeInstanceOf(MalformedError);
				}
			}),
			{ numRuns: 1_000 },
		);
	});

	it("writes nothing deeper than it would read", () => {
		let deep: Amf0Value = null;
		for (let depth = 0; depth <= MAX_AMF0_DEPTH; depth += 1) {
			deep = [deep];
		}
		expect(() => writeAmf0([deep])).toThrow(RangeError);
	});
});
