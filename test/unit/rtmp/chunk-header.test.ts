import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { ByteWriter } from "../../../media/bytes/byte-writer.ts";
import {
	type ChunkHeader,
	MAX_CHUNK_HEADER_BYTES,
	readChunkHeader,
	writeChunkHeader,
} from "../../../rtmp/chunk-header.ts";
import { hex } from "../../support/rtmp/hex.ts";

interface Row {
	readonly name: string;
	readonly value: ChunkHeader;
	readonly bytes: Uint8Array;
	/** The extended timestamp of the chunk stream's last header, for format 3. */
	readonly extended?: number;
}

const ROWS: readonly Row[] = [
	{
		name: "format 0, 1-byte id",
		value: { format: 0, chunkStreamId: 3, timestampMs: 0x010203, length: 0x0405, typeId: 20, streamId: 1 },
		bytes: hex("03 010203 000405 14 01000000"),
	},
	{
		name: "format 0, largest 1-byte id, time just under 2^24 - 1",
		value: { format: 0, chunkStreamId: 63, timestampMs: 0xfffffe, length: 1, typeId: 8, streamId: 0x01020304 },
		bytes: hex("3f fffffe 000001 08 04030201"),
	},
	{
		name: "format 0, time 2^24 - 1: extended",
		value: { format: 0, chunkStreamId: 4, timestampMs: 0xffffff, length: 1, typeId: 9, streamId: 1 },
		bytes: hex("04 ffffff 000001 09 01000000 00ffffff"),
	},
	{
		name: "format 0, time 2^32 - 1: extended",
		value: { format: 0, chunkStreamId: 4, timestampMs: 0xffffffff, length: 0xffffff, typeId: 9, streamId: 1 },
		bytes: hex("04 ffffff ffffff 09 01000000 ffffffff"),
	},
	{
		name: "format 1, smallest 2-byte id",
		value: { format: 1, chunkStreamId: 64, timestampMs: 40, length: 300, typeId: 9 },
		bytes: hex("40 00 000028 00012c 09"),
	},
	{
		name: "format 1, largest 2-byte id, extended difference",
		value: { format: 1, chunkStreamId: 319, timestampMs: 0x1000000, length: 2, typeId: 8 },
		bytes: hex("40 ff ffffff 000002 08 01000000"),
	},
	{
		name: "format 2, smallest 3-byte id",
		value: { format: 2, chunkStreamId: 320, timestampMs: 23 },
		bytes: hex("81 00 01 000017"),
	},
	{
		name: "format 2, largest 3-byte id, extended",
		value: { format: 2, chunkStreamId: 65_599, timestampMs: 0xfffffff0 },
		bytes: hex("81 ff ff ffffff fffffff0"),
	},
	{ name: "format 3", value: { format: 3, chunkStreamId: 6 }, bytes: hex("c6") },
	{ name: "format 3, 3-byte id", value: { format: 3, chunkStreamId: 1000 }, bytes: hex("c1 a8 03") },
	{
		name: "format 3 that repeats an extended time",
		value: { format: 3, chunkStreamId: 6 },
		bytes: hex("c6 01020304"),
		extended: 0x01020304,
	},
];

const extendedBytes = ({ extended }: Row) =>
	extended === undefined ? undefined : new ByteWriter().u32(extended).finish();

describe.each(ROWS)("chunk header: $name", (row) => {
	it("is read", () => {
		const read = readChunkHeader(row.bytes, () => extendedBytes(row));
		expect(read?.header).toEqual(row.value);
		expect(read?.size).toBe(row.bytes.length);
	});

	it("is read with anything behind it", () => {
		const longer = new Uint8Array([...row.bytes, 0xaa, 0xbb, 0xcc, 0xdd, 0xee]);
		expect(readChunkHeader(longer, () => extendedBytes(row))?.size).toBe(row.bytes.length);
	});

	it("is written", () => {
		const writer = new ByteWriter();
		writeChunkHeader(writer, row.value, row.extended);
		expect(writer.finish()).toEqual(row.bytes);
	});

	it("waits for more when cut at any byte", () => {
		for (let length = 0; length < row.bytes.length; length += 1) {
			expect(readChunkHeader(row.bytes.subarray(0, length), () => extendedBytes(row))).toBeUndefined();
		}
	});
});

describe("chunk header", () => {
	it("takes what differs from the last extended time as payload, from the first byte that differs", () => {
		const last = hex("01020304");
		expect(readChunkHeader(hex("c6 05"), () => last)?.size).toBe(1);
		expect(readChunkHeader(hex("c6 01 02 99"), () => last)?.size).toBe(1);
		expect(readChunkHeader(hex("c6 01 02 03"), () => last)).toBeUndefined();
	});

	it("reads any 18 bytes as some header, or asks for none beyond them", () => {
		fc.assert(
			fc.property(fc.uint8Array({ minLength: MAX_CHUNK_HEADER_BYTES, maxLength: MAX_CHUNK_HEADER_BYTES }), (bytes) => {
				try {
					expect(readChunkHeader(bytes, () => undefined)).toBeDefined();
				} catch (error) {
					expect(error).toBeInstanceOf(MalformedError);
				}
			}),
		);
	});
});
