import { describe, expect, it } from "vitest";
import { ByteWriter } from "../../../media/bytes/byte-writer.ts";
import type { FlvTag } from "../../../media/flv/tag.ts";
import type { PublishRequest } from "../../../rtmp/acceptor.ts";
import { type Amf0Value, EcmaArray, writeAmf0 } from "../../../rtmp/amf0.ts";
import { HANDSHAKE_BYTES } from "../../../rtmp/handshake.ts";
import { CollectingAcceptor } from "../../support/rtmp/collecting-sink.ts";
import { hex } from "../../support/rtmp/hex.ts";
import { memoryTransportPair } from "../../support/rtmp/memory-transport.ts";
import { chunksOf, type Place, ScriptedPeer } from "../../support/rtmp/scripted-peer.ts";

const AUDIO = 8;
const VIDEO = 9;
const DATA = 18;

const METADATA = { width: 1280, height: 720, videocodecid: 7, audiocodecid: 10 };
const AAC_HEADER = hex("af00 1190");
const AVC_HEADER = hex("1700 000000 0142c01e ffe10004 6742c01e 01000268ce");
const OTHER_AVC_HEADER = hex("1700 000000 0142c01f ffe10004 6742c01f 01000268ce");
const KEY_FRAME = Uint8Array.from({ length: 4_500 }, (_, index) =>
	index === 0 ? 0x17 : index === 1 ? 1 : index & 0xff,
);
const INTER_FRAME = hex("2701 ffffd8 00000002 419a");
const AAC_FRAME = hex("af01 2110045000");

const metadataTag = (value: Amf0Value, timestampMs = 0): FlvTag => ({
	type: DATA,
	timestampMs,
	body: writeAmf0(["onMetaData", value]),
});
const tag = (type: 8 | 9, timestampMs: number, body: Uint8Array): FlvTag => ({ type, timestampMs, body });
const setDataFrame = (value: Amf0Value) => writeAmf0(["@setDataFrame", "onMetaData", value]);

async function media(peer: ScriptedPeer, typeId: number, place: Place, body: Uint8Array): Promise<void> {
	await peer.message(typeId, body, place);
}

interface Recording {
	readonly name: string;
	readonly request: PublishRequest;
	readonly tags: readonly FlvTag[];
	readonly ending: string;
	play(peer: ScriptedPeer, answers: Answers): Promise<void>;
}

/** Waits for answers in a live run; waits for nothing when only the bytes are wanted. */
interface Answers {
	command(name: string, check?: (args: readonly Amf0Value[], transactionId: number) => void): Promise<void>;
}

const COMMANDS: Place = { csid: 3 };

const RECORDINGS: readonly Recording[] = [
	{
		name: "OBS 29: chunk size before connect, one chunk stream for sound and picture, no goodbye",
		request: {
			app: "live",
			streamKey: "KEY?a=b",
			tcUrl: "rtmp://127.0.0.1/live",
			flashVer: "FMLE/3.0 (compatible; FMSc/1.0)",
		},
		tags: [
			metadataTag(new EcmaArray(METADATA)),
			tag(AUDIO, 0, AAC_HEADER),
			tag(VIDEO, 0, AVC_HEADER),
			tag(VIDEO, 0, KEY_FRAME),
			tag(AUDIO, 21, AAC_FRAME),
			tag(VIDEO, 33, INTER_FRAME),
		],
		ending: "the publisher closed the connection",
		async play(peer, answers) {
			await peer.setChunkSize(4096);
			await peer.call(COMMANDS, "connect", 1, {
				app: "live",
				type: "nonprivate",
				flashVer: "FMLE/3.0 (compatible; FMSc/1.0)",
				swfUrl: "rtmp://127.0.0.1/live",
				tcUrl: "rtmp://127.0.0.1/live",
			});
			await answers.command("_result", ([, info], transactionId) => {
				expect(transactionId).toBe(1);
				expect(info).toMatchObject({ level: "status", code: "NetConnection.Connect.Success" });
			});
			await peer.call(COMMANDS, "releaseStream", 2, null, "KEY?a=b");
			await peer.call(COMMANDS, "FCPublish", 3, null, "KEY?a=b");
			await peer.call(COMMANDS, "createStream", 4, null);
			await answers.command("_result");
			await answers.command("_result");
			await answers.command("_result", ([, streamId], transactionId) => {
				expect(transactionId).toBe(4);
				expect(streamId).toBe(1);
			});
			await peer.call({ csid: 4, msid: 1 }, "publish", 5, null, "KEY?a=b", "live");
			await answers.command("onFCPublish");
			await answers.command("onStatus", ([, info]) => {
				expect(info).toMatchObject({ level: "status", code: "NetStream.Publish.Start" });
			});
			const both: Place = { csid: 4, msid: 1 };
			await media(peer, DATA, both, setDataFrame(new EcmaArray(METADATA)));
			await media(peer, AUDIO, both, AAC_HEADER);
			await media(peer, VIDEO, both, AVC_HEADER);
			await media(peer, VIDEO, both, KEY_FRAME);
			// From here on format 1, sound and picture in turn: the difference is to whichever came before.
			await peer.send(formatOne(4, 21, AUDIO, AAC_FRAME, 4096));
			await peer.send(formatOne(4, 12, VIDEO, INTER_FRAME, 4096));
		},
	},
	{
		name: "ffmpeg 5.1: chunk size after connect's answer, a digest handshake, FCUnpublish and deleteStream",
		request: {
			app: "live",
			streamKey: "KEY",
			tcUrl: "rtmp://127.0.0.1:1935/live",
			flashVer: "FMLE/3.0 (compatible; Lavf59)",
		},
		tags: [
			metadataTag(new EcmaArray(METADATA)),
			tag(VIDEO, 0, AVC_HEADER),
			tag(AUDIO, 0, AAC_HEADER),
			tag(VIDEO, 0, KEY_FRAME),
			tag(AUDIO, 23, AAC_FRAME),
			tag(VIDEO, 40, INTER_FRAME),
		],
		ending: "the publisher ended the stream",
		async play(peer, answers) {
			await peer.call(COMMANDS, "connect", 1, {
				app: "live",
				type: "nonprivate",
				flashVer: "FMLE/3.0 (compatible; Lavf59)",
				tcUrl: "rtmp://127.0.0.1:1935/live",
			});
			await answers.command("_result");
			await peer.setChunkSize(4096);
			await peer.call(COMMANDS, "releaseStream", 2, null, "KEY");
			await peer.call(COMMANDS, "FCPublish", 3, null, "KEY");
			await peer.call(COMMANDS, "createStream", 4, null);
			await answers.command("_result");
			await answers.command("_result");
			await answers.command("_result");
			await peer.call({ csid: 8, msid: 1 }, "publish", 5, null, "KEY", "live");
			await answers.command("onFCPublish");
			await answers.command("onStatus");
			await media(peer, DATA, { csid: 4, msid: 1 }, setDataFrame(new EcmaArray(METADATA)));
			await media(peer, VIDEO, { csid: 6, msid: 1 }, AVC_HEADER);
			await media(peer, AUDIO, { csid: 4, msid: 1 }, AAC_HEADER);
			await media(peer, VIDEO, { csid: 6, msid: 1 }, KEY_FRAME);
			await media(peer, AUDIO, { csid: 4, msid: 1, timestampMs: 23 }, AAC_FRAME);
			await media(peer, VIDEO, { csid: 6, msid: 1, timestampMs: 40 }, INTER_FRAME);
			await peer.call(COMMANDS, "FCUnpublish", 6, null, "KEY");
			await peer.call(COMMANDS, "deleteStream", 7, null, 1);
		},
	},
	{
		name: "GStreamer rtmp2sink 1.22: transactions 0, chunk size last, metadata again, deleteStream by name",
		request: {
			app: "live",
			streamKey: "KEY",
			tcUrl: "rtmp://127.0.0.1:1935/live",
			flashVer: "FMLE/3.0 (compatible; GStreamer)",
		},
		tags: [
			metadataTag(new EcmaArray(METADATA)),
			tag(VIDEO, 0, AVC_HEADER),
			tag(AUDIO, 0, AAC_HEADER),
			tag(VIDEO, 0, KEY_FRAME),
			metadataTag(new EcmaArray({ ...METADATA, width: 640 }), 20),
			tag(AUDIO, 23, AAC_FRAME),
			tag(AUDIO, 46, AAC_FRAME),
			tag(VIDEO, 40, INTER_FRAME),
		],
		ending: "the publisher ended the stream",
		async play(peer, answers) {
			await peer.call(COMMANDS, "connect", 1, {
				app: "live",
				type: "nonprivate",
				tcUrl: "rtmp://127.0.0.1:1935/live",
				flashVer: "FMLE/3.0 (compatible; GStreamer)",
			});
			await answers.command("_result");
			await peer.call(COMMANDS, "releaseStream", 0, null, "KEY");
			await peer.call(COMMANDS, "FCPublish", 0, null, "KEY");
			await peer.call(COMMANDS, "createStream", 2, null);
			await answers.command("_result", (_, transactionId) => expect(transactionId).toBe(2));
			await peer.call({ csid: 3, msid: 1 }, "publish", 0, null, "KEY", "live");
			await answers.command("onFCPublish");
			await answers.command("onStatus");
			await peer.setChunkSize(128);
			await media(peer, DATA, { csid: 4, msid: 1 }, setDataFrame(new EcmaArray(METADATA)));
			await media(peer, VIDEO, { csid: 6, msid: 1 }, AVC_HEADER);
			await media(peer, AUDIO, { csid: 5, msid: 1 }, AAC_HEADER);
			await media(peer, VIDEO, { csid: 6, msid: 1 }, KEY_FRAME);
			await media(
				peer,
				DATA,
				{ csid: 4, msid: 1, timestampMs: 20 },
				setDataFrame(new EcmaArray({ ...METADATA, width: 640 })),
			);
			// Sound again of the same size and at the same distance: nothing but a format 3 byte before it.
			await media(peer, AUDIO, { csid: 5, msid: 1, timestampMs: 23 }, AAC_FRAME);
			await peer.send(chunksOf({ format: 3, chunkStreamId: 5 }, AAC_FRAME, 128));
			await media(peer, VIDEO, { csid: 6, msid: 1, timestampMs: 40 }, INTER_FRAME);
			await peer.call({ csid: 3, msid: 1 }, "deleteStream", 0, null, "KEY");
		},
	},
	{
		name: "Haivision: createStream before FCPublish, _checkbw, metadata as an object",
		request: {
			app: "live",
			streamKey: "KEY",
			tcUrl: "rtmp://127.0.0.1:1935/live",
			flashVer: "FMLE/3.0 (compatible; KulaByte)",
		},
		tags: [metadataTag(METADATA), tag(VIDEO, 0, AVC_HEADER), tag(AUDIO, 0, AAC_HEADER), tag(VIDEO, 0, KEY_FRAME)],
		ending: "the publisher ended the stream",
		async play(peer, answers) {
			await peer.call(COMMANDS, "connect", 1, {
				app: "live",
				flashVer: "FMLE/3.0 (compatible; KulaByte)",
				tcUrl: "rtmp://127.0.0.1:1935/live",
				objectEncoding: 0,
			});
			await answers.command("_result");
			await peer.call(COMMANDS, "createStream", 2, null);
			await answers.command("_result");
			await peer.call(COMMANDS, "_checkbw", 3, null);
			await answers.command("_result", (_, transactionId) => expect(transactionId).toBe(3));
			await peer.call(COMMANDS, "releaseStream", 4, null, "KEY");
			await peer.call(COMMANDS, "FCPublish", 5, null, "KEY");
			await answers.command("_result");
			await answers.command("_result");
			await peer.call({ csid: 8, msid: 1 }, "publish", 6, null, "KEY");
			await answers.command("onFCPublish");
			await answers.command("onStatus");
			await peer.setChunkSize(65_536);
			await media(peer, DATA, { csid: 8, msid: 1 }, setDataFrame(METADATA));
			await media(peer, VIDEO, { csid: 65_599, msid: 1 }, AVC_HEADER);
			await media(peer, AUDIO, { csid: 319, msid: 1 }, AAC_HEADER);
			await media(peer, VIDEO, { csid: 65_599, msid: 1 }, KEY_FRAME);
			await peer.call({ csid: 3, msid: 1 }, "closeStream", 0, null);
		},
	},
	{
		name: "Flash: no FCPublish, no tcUrl, no flashVer, AMF3 commands, sound first, picture between key frames, new AVC header",
		request: { app: "live", streamKey: "KEY" },
		tags: [
			tag(AUDIO, 0, AAC_HEADER),
			tag(AUDIO, 10, AAC_FRAME),
			tag(VIDEO, 20, INTER_FRAME),
			tag(VIDEO, 30, AVC_HEADER),
			tag(VIDEO, 30, KEY_FRAME),
			tag(VIDEO, 60, AVC_HEADER),
			tag(VIDEO, 90, OTHER_AVC_HEADER),
			tag(VIDEO, 90, KEY_FRAME),
		],
		ending: "the publisher closed the connection",
		async play(peer, answers) {
			await peer.call(COMMANDS, "connect", 1, { app: "live", objectEncoding: 3, fpad: false, videoFunction: 1 });
			await answers.command("_result");
			const createStream = new ByteWriter()
				.u8(0)
				.bytes(writeAmf0(["createStream", 2, null]))
				.finish();
			await peer.message(17, createStream, COMMANDS);
			await answers.command("_result");
			await peer.call({ csid: 8, msid: 1 }, "publish", 3, null, "KEY", "live");
			await answers.command("onStatus");
			await media(peer, AUDIO, { csid: 4, msid: 1 }, AAC_HEADER);
			await media(peer, AUDIO, { csid: 4, msid: 1, timestampMs: 5 }, new Uint8Array(0));
			await media(peer, AUDIO, { csid: 4, msid: 1, timestampMs: 10 }, AAC_FRAME);
			await media(peer, VIDEO, { csid: 6, msid: 1, timestampMs: 20 }, INTER_FRAME);
			await media(peer, VIDEO, { csid: 6, msid: 1, timestampMs: 30 }, AVC_HEADER);
			await media(peer, VIDEO, { csid: 6, msid: 1, timestampMs: 30 }, KEY_FRAME);
			await media(peer, VIDEO, { csid: 6, msid: 1, timestampMs: 60 }, AVC_HEADER);
			await media(peer, VIDEO, { csid: 6, msid: 1, timestampMs: 90 }, OTHER_AVC_HEADER);
			await media(peer, VIDEO, { csid: 6, msid: 1, timestampMs: 90 }, KEY_FRAME);
		},
	},
	{
		name: "Flash Media Live Encoder: aggregates, and times that start just under 2^32",
		request: { app: "live", streamKey: "KEY", flashVer: "FMLE/3.0 (compatible; FMSc/1.0)" },
		tags: [
			tag(VIDEO, 0xfffffff0, AVC_HEADER),
			tag(AUDIO, 0xfffffff0, AAC_HEADER),
			tag(AUDIO, 0x7, AAC_FRAME),
			tag(VIDEO, 0x18, KEY_FRAME),
		],
		ending: "the publisher closed the connection",
		async play(peer, answers) {
			await peer.call(COMMANDS, "connect", 1, { app: "live", flashVer: "FMLE/3.0 (compatible; FMSc/1.0)" });
			await answers.command("_result");
			await peer.call(COMMANDS, "createStream", 2, null);
			await answers.command("_result");
			await peer.call({ csid: 4, msid: 1 }, "publish", 0, null, "KEY", "live");
			await answers.command("onStatus");
			await media(peer, VIDEO, { csid: 6, msid: 1, timestampMs: 0xfffffff0 }, AVC_HEADER);
			const aggregate = new ByteWriter()
				.u8(AUDIO)
				.u24(AAC_HEADER.length)
				.u24(1000)
				.u8(0)
				.u24(1)
				.bytes(AAC_HEADER)
				.u32(11 + AAC_HEADER.length)
				.u8(AUDIO)
				.u24(AAC_FRAME.length)
				.u24(1023)
				.u8(0)
				.u24(1)
				.bytes(AAC_FRAME)
				.u32(11 + AAC_FRAME.length)
				.finish();
			await media(peer, 22, { csid: 5, msid: 1, timestampMs: 0xfffffff0 }, aggregate);
			const header = {
				format: 1,
				chunkStreamId: 6,
				timestampMs: 0x28,
				length: KEY_FRAME.length,
				typeId: VIDEO,
			} as const;
			await peer.send(chunksOf(header, KEY_FRAME, 128));
		},
	},
];

function formatOne(
	chunkStreamId: number,
	deltaMs: number,
	typeId: number,
	body: Uint8Array,
	chunkSize: number,
): Uint8Array {
	const header = { format: 1, chunkStreamId, timestampMs: deltaMs, length: body.length, typeId } as const;
	return chunksOf(header, body, chunkSize);
}

/** A C1 with a version in bytes 4 to 8, as peers with digests send. */
const DIGEST_C1 = Uint8Array.from({ length: HANDSHAKE_BYTES }, (_, index) => (index * 37 + 9) & 0xff);

async function playLive(recording: Recording, pieceBytes?: number) {
	const [ours, theirs] = memoryTransportPair(pieceBytes);
	const seen = new CollectingAcceptor(ours);
	const peer = new ScriptedPeer(theirs);
	await peer.handshakeAsClient(DIGEST_C1);
	await recording.play(peer, {
		async command(name, check) {
			const { args, transactionId } = await peer.nextCommand(name);
			check?.(args, transactionId);
		},
	});
	await peer.end();
	await seen.ended;
	return seen;
}

/** What the publisher says after its handshake, said without waiting. */
async function recordBytes(recording: Recording): Promise<Uint8Array> {
	const [ours, theirs] = memoryTransportPair();
	const peer = new ScriptedPeer(theirs);
	const bytes = new ByteWriter();
	const recorded = (async () => {
		for await (const piece of ours.readable as unknown as AsyncIterable<Uint8Array>) {
			bytes.bytes(piece);
		}
	})();
	await recording.play(peer, { command: async () => {} });
	await peer.end();
	await recorded;
	return bytes.finish();
}

async function replay(pieces: readonly Uint8Array[]) {
	const [ours, theirs] = memoryTransportPair();
	const seen = new CollectingAcceptor(ours);
	const writer = theirs.writable.getWriter();
	const drained = theirs.readable.pipeTo(new WritableStream());
	await writer.write(new ByteWriter().u8(3).bytes(DIGEST_C1).bytes(DIGEST_C1).finish());
	for (const piece of pieces) {
		await writer.write(piece);
	}
	await writer.close();
	await seen.ended;
	await drained;
	return seen;
}

describe.each(RECORDINGS)("rtmp acceptor and $name", (recording) => {
	const expectAll = (seen: CollectingAcceptor) => {
		expect(seen.errors).toEqual([]);
		expect(seen.requests).toEqual([recording.request]);
		expect(seen.tags).toEqual(recording.tags);
		expect(seen.endings).toEqual([recording.ending]);
	};

	it("takes its stream", async () => {
		expectAll(await playLive(recording));
	});

	it("takes its stream byte by byte", async () => {
		expectAll(await playLive(recording, 1));
	});

	it("takes its stream when the connection splits it at any byte, and when it waits for nothing", async () => {
		const bytes = await recordBytes(recording);
		// Inside key frames every place is like the next: each byte near a header, and a sample of those between.
		for (let at = 0; at <= bytes.length; at += at > 1_200 && at < bytes.length - 500 ? 61 : 1) {
			expectAll(await replay([bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0)));
		}
	});
});
