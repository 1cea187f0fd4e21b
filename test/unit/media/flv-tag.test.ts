import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import type { FlvTag } from "../../../media/flv/tag.ts";
import { FlvTagReader, isFlvHeader, readSingleTag } from "../../../media/flv/tag-reader.ts";
import { flvHeader, flvTagBytes, setTagTimestamp } from "../../../media/flv/tag-writer.ts";
import { concat, hex, prefixes } from "./hex.ts";

const HEADER = hex("464c56 01 05 00000009 00000000");

const TAGS: readonly { readonly name: string; readonly value: FlvTag; readonly bytes: Uint8Array }[] = [
	{
		name: "audio at 0",
		value: { type: 8, timestampMs: 0, body: hex("af01 21") },
		bytes: hex("08 000003 000000 00 000000 af0121 0000000e"),
	},
	{
		name: "video just below 2^24 ms",
		value: { type: 9, timestampMs: 0xffffff, body: hex("1701") },
		bytes: hex("09 000002 ffffff 00 000000 1701 0000000d"),
	},
	{
		name: "video at 2^24 ms, where the extended byte begins",
		value: { type: 9, timestampMs: 0x1000000, body: hex("17") },
		bytes: hex("09 000001 000000 01 000000 17 0000000c"),
	},
	{
		name: "script just below 2^32 ms",
		value: { type: 18, timestampMs: 0xfffffffe, body: hex("02000a") },
		bytes: hex("12 000003 fffffe ff 000000 02000a 0000000e"),
	},
	{
		name: "audio without a body",
		value: { type: 8, timestampMs: 0x80000001, body: hex("") },
		bytes: hex("08 000000 000001 80 000000 0000000b"),
	},
];

const FILE = concat(HEADER, ...TAGS.map(({ bytes }) => bytes));
const FILE_TAGS = TAGS.map(({ value }) => value);

describe.each(TAGS)("$name", ({ value, bytes }) => {
	test("is read", () => {
		expect(readSingleTag(bytes)).toEqual(value);
	});

	test("is written", () => {
		expect(flvTagBytes(value)).toEqual(bytes);
	});

	test("is refused as a message when cut at any byte or too long", () => {
		for (const cut of prefixes(bytes)) {
			expect(() => readSingleTag(cut)).toThrow(MalformedError);
		}
		expect(() => readSingleTag(concat(bytes, hex("00")))).toThrow(MalformedError);
	});

	test("has its time rewritten in place, and nothing else", () => {
		const framed = Uint8Array.from(bytes);
		setTagTimestamp(framed, 0x1_fffefdfc); // past 32 bits: wraps
		expect(readSingleTag(framed)).toEqual({ ...value, timestampMs: 0xfffefdfc });
	});
});

describe("FlvTagReader", () => {
	test("reads a file in one push", () => {
		expect(new FlvTagReader().push(FILE)).toEqual(FILE_TAGS);
	});

	test("gives the same tags wherever the bytes are split in two", () => {
		for (const head of prefixes(FILE)) {
			const reader = new FlvTagReader();
			expect([...reader.push(head), ...reader.push(FILE.subarray(head.byteLength))]).toEqual(FILE_TAGS);
		}
	});

	test("gives the same tags byte by byte", () => {
		const reader = new FlvTagReader();
		expect(Array.from(FILE).flatMap((byte) => reader.push(Uint8Array.of(byte)))).toEqual(FILE_TAGS);
	});

	test("gives the same tags for any tags in any pieces", () => {
		const tag: fc.Arbitrary<FlvTag> = fc.record({
			type: fc.constantFrom(8 as const, 9 as const, 18 as const),
			timestampMs: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
			body: fc.uint8Array({ maxLength: 500 }),
		});
		const pieces = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 20 });
		fc.assert(
			fc.property(fc.array(tag, { maxLength: 20 }), pieces, (tags, sizes) => {
				const bytes = concat(flvHeader(), ...tags.map(flvTagBytes));
				const reader = new FlvTagReader();
				const read: FlvTag[] = [];
				for (let at = 0, turn = 0; at < bytes.byteLength; turn += 1) {
					const size = sizes[turn % sizes.length] ?? 0;
					const take = turn >= 100 ? bytes.byteLength : size;
					read.push(...reader.push(bytes.slice(at, at + take)));
					at += take;
				}
				expect(read).toEqual(tags);
			}),
		);
	});

	test("skips a longer file header by its size", () => {
		const longer = hex("464c56 01 05 0000000c aabbcc 00000000");
		expect(new FlvTagReader().push(concat(longer, flvTagBytes(INTER_TAG)))).toEqual([INTER_TAG]);
	});

	test("refuses a tag that is too large before collecting it", () => {
		const reader = new FlvTagReader({ maxTagBytes: 2 });
		expect(() => reader.push(concat(HEADER, hex("08 000003 000000 00 000000")))).toThrow(
			"flv: expected a tag of at most 2 bytes, got 3",
		);
	});

	test("stays broken after an error", () => {
		const reader = new FlvTagReader();
		expect(() => reader.push(concat(HEADER, hex("0a 000000 000000 00 000000")))).toThrow(MalformedError);
		expect(() => reader.push(FILE)).toThrow(MalformedError);
	});

	test.each([
		["another signature", hex("464c55 01 05 00000009 00000000"), 'flv: expected signature "FLV", got 0x464c55'],
		["another version", hex("464c56 02 05 00000009 00000000"), "flv: expected version 1, got 2"],
		["a short header", hex("464c56 01 05 00000008 00000000"), "flv: expected a header of 9 to 1024 bytes, got 8"],
		["an endless header", hex("464c56 01 05 ffffffff 00000000"), "got 4294967295"],
		["a wrong first size", hex("464c56 01 05 00000009 00000001"), "flv: expected previous tag size 0, got 1"],
		["an encrypted tag", concat(HEADER, hex("29 000000 000000 00 000000 0000000b")), "tag type 8, 9 or 18, got 41"],
		["a stream id", concat(HEADER, hex("08 000000 000000 00 000001 0000000b")), "flv: expected stream id 0, got 1"],
		["a wrong size", concat(HEADER, hex("08 000000 000000 00 000000 0000000c")), "previous tag size 11, got 12"],
	])("refuses %s", (_, bytes, message) => {
		expect(() => new FlvTagReader().push(bytes)).toThrow(MalformedError);
		expect(() => new FlvTagReader().push(bytes)).toThrow(message);
	});

	test("throws nothing but MalformedError for any bytes", () => {
		const anything = fc.oneof(
			fc.uint8Array({ maxLength: 200 }),
			fc.uint8Array({ maxLength: 200 }).map((bytes) => concat(HEADER, bytes)),
			fc.tuple(fc.nat(FILE.byteLength - 1), fc.nat(255)).map(([at, byte]) => FILE.with(at, byte)),
		);
		fc.assert(
			fc.property(anything, (bytes) => {
				for (const parse of [() => new FlvTagReader().push(bytes), () => readSingleTag(bytes)]) {
					try {
						parse();
					} catch (error) {
						expect(error).toBeInstanceOf(MalformedError);
					}
				}
			}),
			{ numRuns: 1000 },
		);
	});
});

const INTER_TAG: FlvTag = { type: 9, timestampMs: 40, body: hex("2701 000000 00000001 41") };

test("the file header is written with both tracks and the first size", () => {
	expect(flvHeader()).toEqual(HEADER);
});

test("a file header is told from a tag", () => {
	expect(isFlvHeader(HEADER)).toBe(true);
	expect(prefixes(HEADER).some(isFlvHeader)).toBe(false);
	expect(isFlvHeader(concat(HEADER, hex("00")))).toBe(false);
	expect(TAGS.some(({ bytes }) => isFlvHeader(bytes))).toBe(false);
	expect(isFlvHeader(hex("08 000002 000000 00 000000 af01"))).toBe(false); // 13 bytes too
});

test("a body that 24 bits cannot size is refused", () => {
	expect(() => flvTagBytes({ type: 9, timestampMs: 0, body: new Uint8Array(0x1000000) })).toThrow(RangeError);
});
