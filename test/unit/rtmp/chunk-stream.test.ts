import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { ByteWriter } from "../../../media/bytes/byte-writer.ts";
import { type ChunkMessage, ChunkReader } from "../../../rtmp/chunk-reader.ts";
import { ChunkWriter } from "../../../rtmp/chunk-writer.ts";
import { hex } from "../../support/rtmp/hex.ts";
import { chunksOf } from "../../support/rtmp/scripted-peer.ts";

const u32 = (value: number) => new ByteWriter().u32(value).finish();
const concat = (...parts: readonly Uint8Array[]) =>
	parts.reduce((all, part) => all.bytes(part), new ByteWriter()).finish();
const counting = (length: number) => Uint8Array.from({ length }, (_, index) => index & 0xff);

const message = (fields: Partial<ChunkMessage> & { payload: Uint8Array }): ChunkMessage => ({
	chunkStreamId: 6,
	streamId: 1,
	typeId: 9,
	timestampMs: 0,
	...fields,
});

const setChunkSize = (size: number) =>
	chunksOf({ format: 0, chunkStreamId: 2, timestampMs: 0, length: 4, typeId: 1, streamId: 0 }, u32(size), 128);
const abort = (chunkStreamId: number) =>
	chunksOf({ format: 0, chunkStreamId: 2, timestampMs: 0, length: 4, typeId: 2, streamId: 0 }, u32(chunkStreamId), 128);

/** Chunk streams written by hand: what the reader makes of them, however they are cut. */
const STREAMS: readonly { name: string; value: readonly ChunkMessage[]; bytes: Uint8Array }[] = [
	{
		name: "one message in one chunk",
		value: [message({ payload: hex("aabb"), timestampMs: 7 })],
		bytes: hex("06 000007 000002 09 01000000 aabb"),
	},
	{
		name: "a message of no bytes",
		value: [message({ payload: hex("") }), message({ payload: hex("01"), timestampMs: 5 })],
		bytes: hex("06 000000 000000 09 01000000   46 000005 000001 09 01"),
	},
	{
		name: "two messages cut into each other",
		value: [message({ chunkStreamId: 4, typeId: 8, payload: hex("11") }), message({ payload: counting(130) })],
		bytes: concat(
			hex("06 000000 000082 09 01000000"),
			counting(128),
			hex("04 000000 000001 08 01000000 11"),
			hex("c6"),
			counting(130).slice(128),
		),
	},
	{
		name: "format 3 for new messages: the difference again",
		value: [
			message({ payload: hex("01"), timestampMs: 100 }),
			message({ payload: hex("02"), timestampMs: 140 }),
			message({ payload: hex("03"), timestampMs: 180 }),
			message({ payload: hex("04"), timestampMs: 203 }),
			message({ payload: hex("05"), timestampMs: 226 }),
		],
		bytes: hex("06 000064 000001 09 01000000 01   46 000028 000001 09 02   c6 03   86 000017 04   c6 05"),
	},
	{
		name: "format 3 for a new message after format 0: that time again (§5.3.1.2.4)",
		value: [message({ payload: hex("01"), timestampMs: 23 }), message({ payload: hex("02"), timestampMs: 46 })],
		bytes: hex("06 000017 000001 09 01000000 01   c6 02"),
	},
	{
		name: "a chunk stream opened with format 1, as librtmp does for pings",
		value: [message({ chunkStreamId: 2, streamId: 0, typeId: 4, payload: hex("000700000001"), timestampMs: 9 })],
		bytes: hex("42 000009 000006 04 000700000001"),
	},
	{
		name: "Set Chunk Size between two chunks of a message",
		value: [message({ payload: counting(200) })],
		bytes: concat(
			hex("06 000000 0000c8 09 01000000"),
			counting(128),
			setChunkSize(72),
			hex("c6"),
			counting(200).slice(128),
		),
	},
	{
		name: "chunks of one byte",
		value: [message({ payload: hex("010203") })],
		bytes: concat(setChunkSize(1), hex("06 000000 000003 09 01000000 01 c6 02 c6 03")),
	},
	{
		name: "Abort in mid-message, then a new one",
		value: [message({ payload: hex("77"), timestampMs: 12 })],
		bytes: concat(hex("06 00000a 000082 09 01000000"), counting(128), abort(6), hex("46 000002 000001 09 77")),
	},
	{
		name: "Abort of nothing",
		value: [message({ payload: hex("77") })],
		bytes: concat(abort(6), hex("06 000000 000001 09 01000000 77"), abort(6)),
	},
	{
		name: "an extended time with the repeat on format 3 chunks",
		value: [message({ payload: counting(300), timestampMs: 0x01020304 })],
		bytes: concat(
			hex("06 ffffff 00012c 09 01000000 01020304"),
			counting(128),
			hex("c6 01020304"),
			counting(300).slice(128, 256),
			hex("c6 01020304"),
			counting(300).slice(256),
		),
	},
	{
		name: "an extended time without the repeat",
		value: [message({ payload: counting(300), timestampMs: 0x01020304 })],
		bytes: concat(
			hex("06 ffffff 00012c 09 01000000 01020304"),
			counting(128),
			hex("c6"),
			counting(300).slice(128, 256),
			hex("c6"),
			counting(300).slice(256),
		),
	},
	{
		name: "an extended time without the repeat, before payload that begins like it",
		value: [
			message({ payload: concat(hex("aa"), hex("010203"), hex("bb")), timestampMs: 0x01020304 }),
			message({ payload: hex("0102"), timestampMs: 0x01020305 }),
		],
		bytes: concat(
			setChunkSize(1),
			hex("06 ffffff 000005 09 01000000 01020304 aa c6 01 c6 02 c6 03 c6 bb"),
			hex("46 000001 000002 09 01 c6 02"),
		),
	},
	{
		name: "a new message by format 3 after an extended time, with the repeat and without",
		value: [
			message({ payload: hex("aa"), timestampMs: 0x01000000 }),
			message({ payload: hex("bb"), timestampMs: 0x02000000 }),
			message({ payload: hex("cc"), timestampMs: 0x03000000 }),
		],
		bytes: hex("06 ffffff 000001 09 01000000 01000000 aa   c6 01000000 bb   c6 cc"),
	},
	{
		name: "time across 2^24",
		value: [
			message({ payload: hex("01"), timestampMs: 0xfffffe }),
			message({ payload: hex("02"), timestampMs: 0xffffff }),
			message({ payload: hex("03"), timestampMs: 0x1000000 }),
			message({ payload: hex("04"), timestampMs: 0x1000001 }),
		],
		bytes: hex(
			"06 fffffe 000001 09 01000000 01   06 ffffff 000001 09 01000000 00ffffff 02   46 000001 000001 09 03   c6 04",
		),
	},
	{
		name: "time across 2^31",
		value: [
			message({ payload: hex("01"), timestampMs: 0x7fffffff }),
			message({ payload: hex("02"), timestampMs: 0x80000027 }),
		],
		bytes: hex("06 ffffff 000001 09 01000000 7fffffff 01   46 000028 000001 09 02"),
	},
	{
		name: "time across 2^32",
		value: [
			message({ payload: hex("01"), timestampMs: 0xfffffff0 }),
			message({ payload: hex("02"), timestampMs: 0x18 }),
		],
		bytes: hex("06 ffffff 000001 09 01000000 fffffff0 01   46 000028 000001 09 02"),
	},
	{
		name: "a difference that steps back, as 2^32 less",
		value: [message({ payload: hex("01"), timestampMs: 100 }), message({ payload: hex("02"), timestampMs: 80 })],
		bytes: hex("06 000064 000001 09 01000000 01   46 ffffff 000001 09 ffffffec 02"),
	},
	{
		name: "the largest chunk stream id",
		value: [message({ chunkStreamId: 65_599, payload: hex("01") })],
		bytes: hex("01 ffff 000000 000001 09 01000000 01"),
	},
];

describe.each(STREAMS)("chunk reader: $name", ({ value, bytes }) => {
	it("is read whole", () => {
		expect(new ChunkReader().push(bytes)).toEqual(value);
	});

	it("is read split at every byte", () => {
		for (let at = 0; at <= bytes.length; at += 1) {
			const reader = new ChunkReader();
			expect([...reader.push(bytes.subarray(0, at)), ...reader.push(bytes.subarray(at))]).toEqual(value);
		}
	});

	it("is read byte by byte", () => {
		const reader = new ChunkReader();
		expect([...bytes].flatMap((byte) => reader.push(Uint8Array.of(byte)))).toEqual(value);
	});

	it("gives the first messages only when cut short", () => {
		for (let length = 0; length < bytes.length; length += 1) {
			const messages = new ChunkReader().push(bytes.subarray(0, length));
			expect(messages).toEqual(value.slice(0, messages.length));
		}
	});
});

describe("chunk reader", () => {
	it.each([1, 127, 4096, 65_536, 0x7fffffff])("takes a chunk size of %i", (chunkSize) => {
		const payload = counting(70_000);
		const header = {
			format: 0,
			chunkStreamId: 6,
			timestampMs: 3,
			length: payload.length,
			typeId: 9,
			streamId: 1,
		} as const;
		const bytes = concat(setChunkSize(chunkSize), chunksOf(header, payload, chunkSize));
		expect(new ChunkReader().push(bytes)).toEqual([message({ payload, timestampMs: 3 })]);
	});

	it.each([0, 0x80000000, 0xffffffff])("refuses a chunk size of %i", (chunkSize) => {
		expect(() => new ChunkReader().push(setChunkSize(chunkSize))).toThrow(
			`rtmp chunk: expected a chunk size from 1 to 2147483647, got ${chunkSize}`,
		);
	});

	it("refuses a message larger than its limit before any of it has come", () => {
		const reader = new ChunkReader({ maxMessageBytes: 1000 });
		expect(() => reader.push(hex("06 000000 0003e9 09 01000000"))).toThrow(
			"rtmp chunk: expected a message of at most 1000 bytes, got one of 1001",
		);
	});

	it("takes a message as large as the format can say", () => {
		const payload = new Uint8Array(0xffffff);
		const header = {
			format: 0,
			chunkStreamId: 6,
			timestampMs: 0,
			length: payload.length,
			typeId: 9,
			streamId: 1,
		} as const;
		const bytes = concat(setChunkSize(0x1000000), chunksOf(header, payload, payload.length));
		expect(new ChunkReader().push(bytes)[0]?.payload.length).toBe(0xffffff);
	});

	it("refuses many large messages begun and not ended", () => {
		const reader = new ChunkReader();
		const begin = (id: number) => hex(`0${id} 000000 ffffff 09 01000000 ${"00".repeat(128)}`);
		expect(reader.push(begin(3))).toEqual([]);
		expect(reader.push(begin(4))).toEqual([]);
		expect(() => reader.push(begin(5))).toThrow(/expected at most 33554432 bytes of unfinished messages, got 50331645/);
	});

	it("counts an aborted message as gone", () => {
		const reader = new ChunkReader();
		for (let round = 0; round < 5; round += 1) {
			reader.push(hex(`03 000000 ffffff 09 01000000 ${"00".repeat(128)}`));
			reader.push(abort(3));
		}
	});

	it("refuses more chunk streams than its limit", () => {
		const reader = new ChunkReader({ maxChunkStreams: 2 });
		reader.push(hex("03 000000 000000 09 01000000 04 000000 000000 09 01000000"));
		expect(() => reader.push(hex("05 000000 000000 09 01000000"))).toThrow(
			"expected at most 2 chunk streams, got one more (5)",
		);
	});

	it.each(["86 000001", "c6"])("refuses a chunk stream that begins with %s", (bytes) => {
		expect(() => new ChunkReader().push(hex(bytes))).toThrow(
			/expected a full header first on chunk stream 6, got format [23]/,
		);
	});

	it("refuses a new header in mid-message", () => {
		const reader = new ChunkReader();
		reader.push(concat(hex("06 000000 000082 09 01000000"), counting(128)));
		expect(() => reader.push(hex("46 000000 000001 09 00"))).toThrow(
			"expected a format 3 chunk to go on with the message on chunk stream 6, got format 1",
		);
	});

	it("refuses a Set Chunk Size that is cut short", () => {
		expect(() => new ChunkReader().push(hex("02 000000 000002 01 00000000 0001"))).toThrow(MalformedError);
	});

	it("gives payloads that do not share memory with its input", () => {
		const bytes = hex("06 000000 000002 09 01000000 aabb");
		const [first] = new ChunkReader().push(bytes);
		bytes.fill(0);
		expect(first?.payload).toEqual(hex("aabb"));
	});

	it("reads any bytes or calls them malformed", () => {
		fc.assert(
			fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (pieces) => {
				const reader = new ChunkReader({ maxMessageBytes: 4096, maxPendingBytes: 8192 });
				try {
					for (const piece of pieces) {
						reader.push(piece);
					}
				} catch (error) {
					expect(error).toBeInstanceOf(MalformedError);
				}
			}),
			{ numRuns: 500 },
		);
	});
});

describe("chunk writer", () => {
	it("writes format 0 first and format 1 from then on", () => {
		const writer = new ChunkWriter();
		expect(writer.write(message({ payload: hex("aa"), timestampMs: 100 }))).toEqual(
			hex("06 000064 000001 09 01000000 aa"),
		);
		expect(writer.write(message({ payload: hex("bbcc"), timestampMs: 140 }))).toEqual(hex("46 000028 000002 09 bbcc"));
	});

	it("writes format 0 again when time steps back or the message stream changes", () => {
		const writer = new ChunkWriter();
		writer.write(message({ payload: hex("aa"), timestampMs: 100 }));
		expect(writer.write(message({ payload: hex("bb"), timestampMs: 99 }))).toEqual(
			hex("06 000063 000001 09 01000000 bb"),
		);
		expect(writer.write(message({ payload: hex("cc"), timestampMs: 99, streamId: 2 }))).toEqual(
			hex("06 000063 000001 09 02000000 cc"),
		);
	});

	it("cuts at the chunk size and repeats an extended time", () => {
		const payload = counting(257);
		expect(new ChunkWriter().write(message({ payload, timestampMs: 0xffffff }))).toEqual(
			concat(
				hex("06 ffffff 000101 09 01000000 00ffffff"),
				payload.slice(0, 128),
				hex("c6 00ffffff"),
				payload.slice(128, 256),
				hex("c6 00ffffff"),
				payload.slice(256),
			),
		);
	});

	it("writes a message that fills its chunks exactly without an empty one after", () => {
		expect(new ChunkWriter().write(message({ payload: counting(256) })).length).toBe(12 + 128 + 1 + 128);
	});

	it("obeys the Set Chunk Size that it writes, after it", () => {
		const writer = new ChunkWriter();
		writer.write({ chunkStreamId: 2, streamId: 0, typeId: 1, timestampMs: 0, payload: u32(4096) });
		expect(writer.write(message({ payload: counting(4096) })).length).toBe(12 + 4096);
	});

	it("steps over 2^32 as over any other millisecond", () => {
		const writer = new ChunkWriter();
		writer.write(message({ payload: hex("aa"), timestampMs: 0xfffffff0 }));
		expect(writer.write(message({ payload: hex("bb"), timestampMs: 0x10 }))).toEqual(hex("46 000020 000001 09 bb"));
	});

	it("is read back by the reader, whatever the messages, sizes and cuts", () => {
		const anyMessage = fc.record({
			chunkStreamId: fc.constantFrom(3, 4, 63, 64, 319, 320, 65_599),
			streamId: fc.constantFrom(0, 1, 0xffffffff),
			typeId: fc.constantFrom(8, 9, 18, 20),
			timestampMs: fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0xfffff0, max: 0x1000010 })),
			payload: fc.uint8Array({ maxLength: 600 }),
		});
		fc.assert(
			fc.property(
				fc.array(anyMessage, { maxLength: 12 }),
				fc.integer({ min: 1, max: 300 }),
				fc.integer({ min: 1, max: 700 }),
				(messages, chunkSize, pieceBytes) => {
					const writer = new ChunkWriter();
					const size = { chunkStreamId: 2, streamId: 0, typeId: 1, timestampMs: 0, payload: u32(chunkSize) };
					const bytes = concat(...[size, ...messages].map((each) => writer.write(each)));
					const reader = new ChunkReader();
					const read: ChunkMessage[] = [];
					for (let at = 0; at < bytes.length; at += pieceBytes) {
						read.push(...reader.push(bytes.subarray(at, at + pieceBytes)));
					}
					expect(read).toEqual(messages);
				},
			),
			{ numRuns: 300 },
		);
	});
});
