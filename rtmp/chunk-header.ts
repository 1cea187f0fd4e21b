import { ByteReader } from "../media/bytes/byte-reader.ts";
import type { ByteWriter } from "../media/bytes/byte-writer.ts";

/** Longest chunk header: 3 bytes basic, 11 message, 4 extended timestamp (RTMP 1.0 §5.3.1). */
export const MAX_CHUNK_HEADER_BYTES = 18;

/** Largest chunk stream id: 3-byte form, 65535 + 64 (RTMP 1.0 §5.3.1.1). */
export const MAX_CHUNK_STREAM_ID = 65_599;

/** The value of the 24-bit timestamp field which says that the extended timestamp holds it. */
const EXTENDED = 0xffffff;

/** Bytes of the message header by format (RTMP 1.0 §5.3.1.2). */
const MESSAGE_HEADER_BYTES = [11, 7, 3, 0] as const;

/**
 * A chunk's header without its encoding (RTMP 1.0 §5.3.1). Format 0 carries an absolute time, 1 and 2 a difference, 3 nothing; all in
 * unsigned 32-bit milliseconds.
 */
export type ChunkHeader =
	| {
			readonly format: 0;
			readonly chunkStreamId: number;
			readonly timestampMs: number;
			readonly length: number;
			readonly typeId: number;
			readonly streamId: number;
	  }
	| {
			readonly format: 1;
			readonly chunkStreamId: number;
			readonly timestampMs: number;
			readonly length: number;
			readonly typeId: number;
	  }
	| { readonly format: 2; readonly chunkStreamId: number; readonly timestampMs: number }
	| { readonly format: 3; readonly chunkStreamId: number };

export interface ReadChunkHeader {
	readonly header: ChunkHeader;
	/** Bytes the header took. */
	readonly size: number;
	/** The 4 bytes of the extended timestamp, where there was one. */
	readonly extended: Uint8Array | undefined;
}

/** Appends a header; `extended` is the time to repeat on a format 3 chunk whose message has an extended timestamp (§5.3.1.3). */
export function writeChunkHeader(writer: ByteWriter, header: ChunkHeader, extended?: number): void {
	writeBasicHeader(writer, header.format, header.chunkStreamId);
	if (header.format !== 3) {
		writer.u24(Math.min(header.timestampMs, EXTENDED));
		if (header.format !== 2) {
			writer.u24(header.length).u8(header.typeId);
		}
		if (header.format === 0) {
			writer.u32le(header.streamId);
		}
	}
	const time = header.format === 3 ? extended : header.timestampMs;
	if (time !== undefined && needsExtendedTimestamp(time)) {
		writer.u32(time);
	}
}

export function needsExtendedTimestamp(timestampMs: number): boolean {
	return timestampMs >= EXTENDED;
}

/** Bytes of the basic header for a chunk stream id: 1, 2 or 3. */
export function basicHeaderBytes(chunkStreamId: number): number {
	if (chunkStreamId < 64) {
		return 1;
	}
	return chunkStreamId < 320 ? 2 : 3;
}

// fmt: 2 bits, chunk stream id: 6 bits, where 0 says that one more byte follows and 1 that two do, low byte first.
function writeBasicHeader(writer: ByteWriter, format: number, chunkStreamId: number): void {
	const bytes = basicHeaderBytes(chunkStreamId);
	if (bytes === 1) {
		writer.u8((format << 6) | chunkStreamId);
		return;
	}
	const rest = chunkStreamId - 64;
	writer.u8((format << 6) | (bytes - 2)).u8(rest & 0xff);
	if (bytes === 3) {
		writer.u8(rest >> 8);
	}
}

/**
 * Reads the header that `bytes` begins with, or gives `undefined` when it is not all there yet.
 *
 * Some publishers repeat the extended timestamp on format 3 chunks, as the specification asks, and some do not: it is taken as repeated
 * when the next bytes equal the last one of that chunk stream.
 *
 * @param extendedOf the last extended timestamp's 4 bytes of a chunk stream whose last header had one
 */
export function readChunkHeader(
	bytes: Uint8Array,
	extendedOf: (chunkStreamId: number) => Uint8Array | undefined,
): ReadChunkHeader | undefined {
	const reader = new ByteReader(bytes);
	if (reader.remaining < 1) {
		return undefined;
	}
	const first = reader.u8();
	const format = (first >> 6) as 0 | 1 | 2 | 3;
	const low = first & 0x3f;
	const more = low === 0 ? 1 : low === 1 ? 2 : 0;
	if (reader.remaining < more + MESSAGE_HEADER_BYTES[format]) {
		return undefined;
	}
	const chunkStreamId = more === 0 ? low : more === 1 ? 64 + reader.u8() : 64 + reader.u8() + 256 * reader.u8();
	if (format === 3) {
		return readFormat3(reader, chunkStreamId, extendedOf(chunkStreamId));
	}
	const field = reader.u24();
	const length = format === 2 ? 0 : reader.u24();
	const typeId = format === 2 ? 0 : reader.u8();
	const streamId = format === 0 ? reader.u32le() : 0;
	let extended: Uint8Array | undefined;
	if (field === EXTENDED) {
		if (reader.remaining < 4) {
			return undefined;
		}
		extended = reader.bytes(4).slice();
	}
	const timestampMs = extended === undefined ? field : new ByteReader(extended).u32();
	const size = reader.offset;
	switch (format) {
		case 0:
			return { header: { format, chunkStreamId, timestampMs, length, typeId, streamId }, size, extended };
		case 1:
			return { header: { format, chunkStreamId, timestampMs, length, typeId }, size, extended };
		case 2:
			return { header: { format, chunkStreamId, timestampMs }, size, extended };
	}
}

function readFormat3(
	reader: ByteReader,
	chunkStreamId: number,
	extended: Uint8Array | undefined,
): ReadChunkHeader | undefined {
	const header = { format: 3, chunkStreamId } as const;
	const size = reader.offset;
	if (extended === undefined) {
		return { header, size, extended };
	}
	const next = reader.bytes(Math.min(4, reader.remaining));
	if (!next.every((byte, index) => byte === extended[index])) {
		return { header, size, extended: undefined };
	}
	return next.length < 4 ? undefined : { header, size: size + 4, extended };
}
