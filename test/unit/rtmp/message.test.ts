import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MalformedError } from "../../../media/bytes/byte-reader.ts";
import { ByteWriter } from "../../../media/bytes/byte-writer.ts";
import { asObject, EcmaArray, readAmf0, writeAmf0 } from "../../../rtmp/amf0.ts";
import { metadataTagBody } from "../../../rtmp/data-message.ts";
import { encodeMessage, type RtmpMessage, readMessage } from "../../../rtmp/message.ts";
import { hex } from "../../support/rtmp/hex.ts";

const TIME_MS = 1_000;
const read = (typeId: number, payload: Uint8Array) =>
	readMessage({ chunkStreamId: 3, streamId: 1, timestampMs: TIME_MS, typeId, payload });

interface Row {
	readonly name: string;
	readonly value: RtmpMessage;
	readonly typeId: number;
	readonly bytes: Uint8Array;
	/** Shortest payload of the type; shorter ones are malformed. */
	readonly needs: number;
	readonly readOnly?: true;
}

const command = (name: string, transactionId: number, ...args: readonly (null | string | number)[]): RtmpMessage => ({
	kind: "command",
	command: { name, transactionId, args },
});

const ROWS: readonly Row[] = [
	{
		name: "Set Chunk Size",
		value: { kind: "set-chunk-size", chunkSize: 4096 },
		typeId: 1,
		bytes: hex("00001000"),
		needs: 4,
	},
	{ name: "Abort", value: { kind: "abort", chunkStreamId: 6 }, typeId: 2, bytes: hex("00000006"), needs: 4 },
	{
		name: "Acknowledgement",
		value: { kind: "acknowledgement", sequenceNumber: 0xfffffffe },
		typeId: 3,
		bytes: hex("fffffffe"),
		needs: 4,
	},
	{
		name: "a ping",
		value: { kind: "user-control", event: 6, data: hex("01020304") },
		typeId: 4,
		bytes: hex("0006 01020304"),
		needs: 2,
	},
	{
		name: "Window Acknowledgement Size",
		value: { kind: "window-acknowledgement-size", windowBytes: 2_500_000 },
		typeId: 5,
		bytes: hex("002625a0"),
		needs: 4,
	},
	{
		name: "Set Peer Bandwidth",
		value: { kind: "set-peer-bandwidth", windowBytes: 2_500_000, limit: 2 },
		typeId: 6,
		bytes: hex("002625a0 02"),
		needs: 5,
	},
	{
		name: "audio",
		value: { kind: "tag", tag: { type: 8, timestampMs: TIME_MS, body: hex("af01 2110") } },
		typeId: 8,
		bytes: hex("af01 2110"),
		needs: 0,
	},
	{
		name: "video of a negative composition time",
		value: { kind: "tag", tag: { type: 9, timestampMs: TIME_MS, body: hex("2701 ffffd8 00") } },
		typeId: 9,
		bytes: hex("2701 ffffd8 00"),
		needs: 0,
	},
	{
		name: "metadata that the server is to keep",
		value: { kind: "tag", tag: { type: 18, timestampMs: TIME_MS, body: writeAmf0(["onMetaData", { width: 2 }]) } },
		typeId: 18,
		bytes: writeAmf0(["@setDataFrame", "onMetaData", { width: 2 }]),
		needs: 0,
	},
	{
		name: "data of another name",
		value: { kind: "tag", tag: { type: 18, timestampMs: TIME_MS, body: writeAmf0(["onTextData", null]) } },
		typeId: 18,
		bytes: writeAmf0(["onTextData", null]),
		needs: 0,
	},
	{
		name: "bare metadata",
		value: { kind: "tag", tag: { type: 18, timestampMs: TIME_MS, body: writeAmf0(["onMetaData", {}]) } },
		typeId: 18,
		bytes: writeAmf0(["onMetaData", {}]),
		needs: 0,
		readOnly: true,
	},
	{
		name: "data in the AMF3 form",
		value: { kind: "tag", tag: { type: 18, timestampMs: TIME_MS, body: writeAmf0(["onMetaData", {}]) } },
		typeId: 15,
		bytes: new ByteWriter()
			.u8(0)
			.bytes(writeAmf0(["@setDataFrame", "onMetaData", {}]))
			.finish(),
		needs: 1,
		readOnly: true,
	},
	{
		name: "the clearing of metadata",
		value: { kind: "ignored", typeId: 18 },
		typeId: 18,
		bytes: writeAmf0(["@clearDataFrame", "onMetaData"]),
		needs: 0,
		readOnly: true,
	},
	{
		name: "a command",
		value: command("publish", 5, null, "key?a=b", "live"),
		typeId: 20,
		bytes: writeAmf0(["publish", 5, null, "key?a=b", "live"]),
		needs: 10,
	},
	{
		name: "a command in the AMF3 form",
		value: command("createStream", 2, null),
		typeId: 17,
		bytes: new ByteWriter()
			.u8(0)
			.bytes(writeAmf0(["createStream", 2, null]))
			.finish(),
		needs: 16,
		readOnly: true,
	},
	{
		name: "a command of a name only",
		value: command("onBWDone", 0),
		typeId: 20,
		bytes: writeAmf0(["onBWDone"]),
		needs: 11,
		readOnly: true,
	},
	{
		name: "an aggregate, counted from its own time",
		value: {
			kind: "aggregate",
			tags: [
				{ type: 8, timestampMs: TIME_MS, body: hex("aa") },
				{ type: 9, timestampMs: TIME_MS + 40, body: hex("bbcc") },
			],
		},
		typeId: 22,
		bytes: hex(
			"08 000001 000005 01 000000 aa 0000000c   0f 000000 000005 01 000000 0000000b   09 000002 00002d 01 000000 bbcc 0000000d",
		),
		needs: 0,
		readOnly: true,
	},
	{
		name: "a type that nobody here knows",
		value: { kind: "ignored", typeId: 19 },
		typeId: 19,
		bytes: hex("0102"),
		needs: 0,
		readOnly: true,
	},
];

describe.each(ROWS)("rtmp message: $name", ({ value, typeId, bytes, needs }) => {
	it("is read", () => {
		expect(read(typeId, bytes)).toEqual(value);
	});

	it("is malformed when cut below what it needs", () => {
		for (let length = 0; length < needs; length += 1) {
			expect(() => read(typeId, bytes.subarray(0, length))).toThrow(MalformedError);
		}
	});
});

describe("rtmp message", () => {
	it.each(ROWS.filter(({ readOnly }) => readOnly === undefined))("writes $name", ({ value, typeId, bytes }) => {
		expect(encodeMessage(value)).toEqual({ typeId, payload: bytes });
	});

	it("calls an aggregate malformed when it is cut inside a message", () => {
		const aggregate = hex("08 000001 000005 01 000000 aa 0000000c");
		for (let length = 1; length < aggregate.length; length += 1) {
			expect(() => read(22, aggregate.subarray(0, length))).toThrow(MalformedError);
		}
	});

	it("lets an aggregate's time step over 2^32", () => {
		const payload = hex("08 000001 000005 00 000000 aa 0000000c   08 000001 00000f 00 000000 bb 0000000c");
		const message = readMessage({ chunkStreamId: 3, streamId: 1, timestampMs: 0xfffffffe, typeId: 22, payload });
		expect(message.kind === "aggregate" && message.tags.map(({ timestampMs }) => timestampMs)).toEqual([0xfffffffe, 8]);
	});

	it.each([
		["a number for a name", [1, 2], "rtmp command: expected a name first, got number"],
		[
			"a string for a transaction id",
			["connect", "1"],
			"rtmp command: expected a transaction id after the name, got string",
		],
	])("refuses a command with %s", (_, values, message) => {
		expect(() => read(20, writeAmf0(values))).toThrow(message);
	});

	it("refuses a command larger than its limit", () => {
		expect(() => read(20, new Uint8Array(262_145))).toThrow("rtmp command: expected at most 262144 bytes, got 262145");
	});

	it("refuses an AMF3 command that is one", () => {
		expect(() => read(17, hex("11"))).toThrow(
			"rtmp message: expected format 0 at the start of an AMF3 message, got 17",
		);
	});

	it("reads any bytes as a message or calls them malformed", () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 23 }), fc.uint8Array({ maxLength: 120 }), (typeId, payload) => {
				try {
					read(typeId, payload);
				} catch (error) {
					expect(error).toBeInstanceOf(MalformedError);
				}
			}),
			{ numRuns: 1_000 },
		);
	});

	it("tells servers the metadata they look for", () => {
		const body = metadataTagBody({
			width: 1280,
			height: 720,
			frameRate: 30,
			videoBitrateBps: 3e6,
			audioBitrateBps: 128e3,
		});
		const sent = encodeMessage({ kind: "tag", tag: { type: 18, timestampMs: 0, body } });
		expect(read(18, sent.payload)).toEqual({ kind: "tag", tag: { type: 18, timestampMs: TIME_MS, body } });
		const [name, properties] = readAmf0(body);
		expect(name).toBe("onMetaData");
		expect(properties).toBeInstanceOf(EcmaArray);
		expect(asObject(properties)).toEqual({
			duration: 0,
			width: 1280,
			height: 720,
			framerate: 30,
			videodatarate: 3000,
			videocodecid: 7,
			audiodatarate: 128,
			audiosamplerate: 48_000,
			audiosamplesize: 16,
			stereo: true,
			audiocodecid: 10,
			encoder: "Tandem",
		});
	});
});
