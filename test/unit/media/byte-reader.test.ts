import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader, MalformedError } from "../../../media/bytes/byte-reader.ts";
import { ByteWriter } from "../../../media/bytes/byte-writer.ts";
import { hex, prefixes } from "./hex.ts";

interface Layout<T> {
	readonly name: string;
	readonly value: T;
	readonly bytes: Uint8Array;
	read(reader: ByteReader): T;
	write(writer: ByteWriter, value: T): ByteWriter;
}

const u8 = { read: (r: ByteReader) => r.u8(), write: (w: ByteWriter, v: number) => w.u8(v) };
const u16 = { read: (r: ByteReader) => r.u16(), write: (w: ByteWriter, v: number) => w.u16(v) };
const u24 = { read: (r: ByteReader) => r.u24(), write: (w: ByteWriter, v: number) => w.u24(v) };
const i24 = { read: (r: ByteReader) => r.i24(), write: (w: ByteWriter, v: number) => w.i24(v) };
const u32 = { read: (r: ByteReader) => r.u32(), write: (w: ByteWriter, v: number) => w.u32(v) };
const u32le = { read: (r: ByteReader) => r.u32le(), write: (w: ByteWriter, v: number) => w.u32le(v) };
const f64 = { read: (r: ByteReader) => r.f64(), write: (w: ByteWriter, v: number) => w.f64(v) };

const LAYOUTS: readonly Layout<number>[] = [
	{ name: "u8", value: 0xff, bytes: hex("ff"), ...u8 },
	{ name: "u16", value: 0xff01, bytes: hex("ff01"), ...u16 },
	{ name: "u24", value: 0xff0102, bytes: hex("ff0102"), ...u24 },
	{ name: "i24 of −1", value: -1, bytes: hex("ffffff"), ...i24 },
	{ name: "i24 at its least", value: -0x800000, bytes: hex("800000"), ...i24 },
	{ name: "i24 at its most", value: 0x7fffff, bytes: hex("7fffff"), ...i24 },
	{ name: "u32 past 2^31", value: 0xfffefdfc, bytes: hex("fffefdfc"), ...u32 },
	{ name: "u32le", value: 0xfffefdfc, bytes: hex("fcfdfeff"), ...u32le },
	{ name: "f64", value: -2.5, bytes: hex("c004000000000000"), ...f64 },
];

describe.each(LAYOUTS)("$name", ({ value, bytes, read, write }) => {
	test("is read", () => {
		const reader = new ByteReader(bytes);
		expect(read(reader)).toBe(value);
		expect(reader.offset).toBe(bytes.byteLength);
		expect(reader.remaining).toBe(0);
	});

	test("is written", () => {
		expect(write(new ByteWriter(), value).finish()).toEqual(bytes);
	});

	test("is written where the writer has to grow for it", () => {
		for (let before = 0; before <= 70; before += 1) {
			const writer = write(new ByteWriter(1).bytes(new Uint8Array(before)), value);
			expect(writer.finish().subarray(before)).toEqual(bytes);
		}
	});

	test("is refused when cut at any byte", () => {
		for (const cut of prefixes(bytes)) {
			expect(() => read(new ByteReader(cut))).toThrow(MalformedError);
		}
	});
});

describe("ByteReader", () => {
	test("says what it expected and what was left", () => {
		const reader = new ByteReader(hex("0102 03"));
		reader.u16();
		expect(() => reader.u32()).toThrow("bytes: expected 4 more bytes at offset 2, got 1");
	});

	test("stays where it was after a refused read", () => {
		const reader = new ByteReader(hex("0102"));
		expect(() => reader.u24()).toThrow(MalformedError);
		expect(reader.u16()).toBe(0x0102);
	});

	test("reads within a view that begins in mid-buffer", () => {
		const reader = new ByteReader(hex("aaaa 0102 bbbb").subarray(2, 4));
		expect(reader.u16()).toBe(0x0102);
		expect(() => reader.u8()).toThrow(MalformedError);
	});

	test("gives views and not copies", () => {
		const bytes = hex("010203");
		const reader = new ByteReader(bytes);
		expect(reader.bytes(1).buffer).toBe(bytes.buffer);
		expect(reader.rest()).toEqual(hex("0203"));
	});

	test("refuses to go backwards", () => {
		const reader = new ByteReader(hex("0102"));
		reader.u8();
		expect(() => reader.skip(-1)).toThrow(MalformedError);
	});
});

test("ByteWriter keeps everything as it grows", () => {
	fc.assert(
		fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), fc.nat(50), (parts, capacity) => {
			const writer = new ByteWriter(capacity);
			for (const part of parts) {
				writer.bytes(part);
			}
			expect(Buffer.from(writer.finish())).toEqual(Buffer.concat(parts));
			expect(writer.length).toBe(writer.finish().byteLength);
		}),
	);
});
