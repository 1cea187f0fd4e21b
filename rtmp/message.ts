import { ByteReader, MalformedError } from "../media/bytes/byte-reader.ts";
import { ByteWriter } from "../media/bytes/byte-writer.ts";
import { type FlvTag, TAG_TYPE } from "../media/flv/tag.ts";
import { readAggregate } from "./aggregate.ts";
import type { ChunkMessage } from "./chunk-reader.ts";
import { type Command, commandPayload, readCommand } from "./command.ts";
import { dataPayload, scriptTag } from "./data-message.ts";
import { MESSAGE_TYPE } from "./message-type.ts";

/** User control events (RTMP 1.0 §7.1.7). */
export const USER_CONTROL = { streamBegin: 0, streamEof: 1, pingRequest: 6, pingResponse: 7 } as const;

/** How strictly a peer means its Set Peer Bandwidth (RTMP 1.0 §5.4.5). */
export const BANDWIDTH_LIMIT = { hard: 0, soft: 1, dynamic: 2 } as const;

/** Every message this project understands (RTMP 1.0 §5.4, §7.1); "ignored" is one of a type it does not, or that says nothing. */
export type RtmpMessage =
	| { readonly kind: "set-chunk-size"; readonly chunkSize: number }
	| { readonly kind: "abort"; readonly chunkStreamId: number }
	| { readonly kind: "acknowledgement"; readonly sequenceNumber: number }
	| { readonly kind: "user-control"; readonly event: number; readonly data: Uint8Array }
	| { readonly kind: "window-acknowledgement-size"; readonly windowBytes: number }
	| { readonly kind: "set-peer-bandwidth"; readonly windowBytes: number; readonly limit: number }
	| { readonly kind: "command"; readonly command: Command }
	| { readonly kind: "tag"; readonly tag: FlvTag }
	| { readonly kind: "aggregate"; readonly tags: readonly FlvTag[] }
	| { readonly kind: "ignored"; readonly typeId: number };

/** @throws {MalformedError} when the payload is not what the message's type asks for */
export function readMessage({ typeId, timestampMs, payload }: ChunkMessage): RtmpMessage {
	switch (typeId) {
		case MESSAGE_TYPE.setChunkSize:
			return { kind: "set-chunk-size", chunkSize: new ByteReader(payload).u32() };
		case MESSAGE_TYPE.abort:
			return { kind: "abort", chunkStreamId: new ByteReader(payload).u32() };
		case MESSAGE_TYPE.acknowledgement:
			return { kind: "acknowledgement", sequenceNumber: new ByteReader(payload).u32() };
		case MESSAGE_TYPE.userControl: {
			const reader = new ByteReader(payload);
			return { kind: "user-control", event: reader.u16(), data: reader.rest() };
		}
		case MESSAGE_TYPE.windowAcknowledgementSize:
			return { kind: "window-acknowledgement-size", windowBytes: new ByteReader(payload).u32() };
		case MESSAGE_TYPE.setPeerBandwidth: {
			const reader = new ByteReader(payload);
			return { kind: "set-peer-bandwidth", windowBytes: reader.u32(), limit: reader.u8() };
		}
		case MESSAGE_TYPE.audio:
		case MESSAGE_TYPE.video:
			return { kind: "tag", tag: { type: typeId, timestampMs, body: payload } };
		case MESSAGE_TYPE.data:
			return dataMessage(typeId, timestampMs, payload);
		case MESSAGE_TYPE.dataAmf3:
			return dataMessage(typeId, timestampMs, withoutAmf3Format(payload));
		case MESSAGE_TYPE.command:
			return { kind: "command", command: readCommand(payload) };
		case MESSAGE_TYPE.commandAmf3:
			return { kind: "command", command: readCommand(withoutAmf3Format(payload)) };
		case MESSAGE_TYPE.aggregate:
			return { kind: "aggregate", tags: readAggregate(timestampMs, payload) };
		default:
			return { kind: "ignored", typeId };
	}
}

/** A message's type id and payload, as the chunk writer takes them. Throws for kinds that this project never sends. */
export function encodeMessage(message: RtmpMessage): Pick<ChunkMessage, "typeId" | "payload"> {
	switch (message.kind) {
		case "set-chunk-size":
			return { typeId: MESSAGE_TYPE.setChunkSize, payload: new ByteWriter(4).u32(message.chunkSize).finish() };
		case "abort":
			return { typeId: MESSAGE_TYPE.abort, payload: new ByteWriter(4).u32(message.chunkStreamId).finish() };
		case "acknowledgement":
			return {
				typeId: MESSAGE_TYPE.acknowledgement,
				payload: new ByteWriter(4).u32(message.sequenceNumber).finish(),
			};
		case "user-control":
			return {
				typeId: MESSAGE_TYPE.userControl,
				payload: new ByteWriter(6).u16(message.event).bytes(message.data).finish(),
			};
		case "window-acknowledgement-size":
			return {
				typeId: MESSAGE_TYPE.windowAcknowledgementSize,
				payload: new ByteWriter(4).u32(message.windowBytes).finish(),
			};
		case "set-peer-bandwidth":
			return {
				typeId: MESSAGE_TYPE.setPeerBandwidth,
				payload: new ByteWriter(5).u32(message.windowBytes).u8(message.limit).finish(),
			};
		case "command":
			return { typeId: MESSAGE_TYPE.command, payload: commandPayload(message.command) };
		case "tag":
			return {
				typeId: message.tag.type,
				payload: message.tag.type === TAG_TYPE.script ? dataPayload(message.tag.body) : message.tag.body,
			};
		case "aggregate":
		case "ignored":
			throw new TypeError(`rtmp message: expected a kind that is sent, got ${message.kind}`);
	}
}

function dataMessage(typeId: number, timestampMs: number, payload: Uint8Array): RtmpMessage {
	const tag = scriptTag(timestampMs, payload);
	return tag === undefined ? { kind: "ignored", typeId } : { kind: "tag", tag };
}

/** The AMF3 forms of data and command messages begin with a byte 0 and go on in AMF0 in all that is known to be sent. */
function withoutAmf3Format(payload: Uint8Array): Uint8Array {
	const reader = new ByteReader(payload);
	const format = reader.u8();
	if (format !== 0) {
		throw new MalformedError(`rtmp message: expected format 0 at the start of an AMF3 message, got ${format}`);
	}
	return reader.rest();
}
