import { ByteReader } from "../media/bytes/byte-reader.ts";
import { ByteWriter } from "../media/bytes/byte-writer.ts";
import { basicHeaderBytes, type ChunkHeader, needsExtendedTimestamp, writeChunkHeader } from "./chunk-header.ts";
import type { ChunkMessage } from "./chunk-reader.ts";
import { DEFAULT_CHUNK_SIZE } from "./limits.ts";
import { MESSAGE_TYPE } from "./message-type.ts";

/** Bytes of the message header in formats 0 and 1. */
const FULL_HEADER_BYTES = 11;
const DELTA_HEADER_BYTES = 7;

/** A difference in time from here on is a step back, which only an absolute time can say. */
const HALF_RANGE = 0x80000000;

interface LastMessage {
	streamId: number;
	timestampMs: number;
}

/**
 * Makes chunks out of messages (RTMP 1.0 §5.3): one buffer a message, with all of its chunks.
 *
 * Format 0 opens a chunk stream and steps back in time, format 1 does the rest, as OBS does: what every server has seen. A Set Chunk
 * Size message takes effect on the messages after it. The extended timestamp is repeated on format 3 chunks (§5.3.1.3).
 */
export class ChunkWriter {
	readonly #last = new Map<number, LastMessage>();
	#chunkSize = DEFAULT_CHUNK_SIZE;

	write(message: ChunkMessage): Uint8Array {
		const { chunkStreamId, payload } = message;
		const header = this.#headerFor(message);
		const extended = needsExtendedTimestamp(header.timestampMs) ? header.timestampMs : undefined;
		const extendedBytes = extended === undefined ? 0 : 4;
		const chunks = Math.max(1, Math.ceil(payload.length / this.#chunkSize));
		const writer = new ByteWriter(
			(header.format === 0 ? FULL_HEADER_BYTES : DELTA_HEADER_BYTES) +
				chunks * (basicHeaderBytes(chunkStreamId) + extendedBytes) +
				payload.length,
		);
		writeChunkHeader(writer, header);
		for (let at = 0; ; ) {
			writer.bytes(payload.subarray(at, at + this.#chunkSize));
			at += this.#chunkSize;
			if (at >= payload.length) {
				break;
			}
			writeChunkHeader(writer, { format: 3, chunkStreamId }, extended);
		}
		if (message.typeId === MESSAGE_TYPE.setChunkSize) {
			this.#chunkSize = new ByteReader(payload).u32();
		}
		return writer.finish();
	}

	#headerFor(message: ChunkMessage): Extract<ChunkHeader, { format: 0 | 1 }> {
		const { chunkStreamId, timestampMs, typeId, streamId } = message;
		const { length } = message.payload;
		const last = this.#last.get(chunkStreamId);
		if (last === undefined) {
			this.#last.set(chunkStreamId, { streamId, timestampMs });
			return { format: 0, chunkStreamId, timestampMs, length, typeId, streamId };
		}
		const deltaMs = (timestampMs - last.timestampMs) >>> 0;
		const sameStream = last.streamId === streamId;
		last.streamId = streamId;
		last.timestampMs = timestampMs;
		return sameStream && deltaMs < HALF_RANGE
			? { format: 1, chunkStreamId, timestampMs: deltaMs, length, typeId }
			: { format: 0, chunkStreamId, timestampMs, length, typeId, streamId };
	}
}
