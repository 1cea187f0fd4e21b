import { ByteReader, MalformedError } from "../media/bytes/byte-reader.ts";
import { type ChunkHeader, MAX_CHUNK_HEADER_BYTES, readChunkHeader } from "./chunk-header.ts";
import { type ChunkLimits, DEFAULT_CHUNK_LIMITS, DEFAULT_CHUNK_SIZE, MAX_CHUNK_SIZE } from "./limits.ts";
import { MESSAGE_TYPE } from "./message-type.ts";

/** One whole RTMP message, its payload not yet read. `timestampMs` is absolute, unsigned 32 bits, and wraps. */
export interface ChunkMessage {
	readonly chunkStreamId: number;
	readonly streamId: number;
	readonly typeId: number;
	readonly timestampMs: number;
	readonly payload: Uint8Array;
}

interface ChunkStream {
	readonly id: number;
	streamId: number;
	typeId: number;
	length: number;
	timestampMs: number;
	/** What the next format 3 chunk that begins a message adds. */
	deltaMs: number;
	/** The extended timestamp's bytes, when the last header had one. */
	extended: Uint8Array | undefined;
	/** The message in the making; `undefined` between messages. */
	payload: Uint8Array | undefined;
	filled: number;
}

/**
 * Makes messages out of chunks (RTMP 1.0 §5.3), split anywhere. Set Chunk Size and Abort are obeyed here and not handed on, since the
 * very next byte depends on them.
 *
 * Payloads are copied once, out of the input, and belong to the caller. Throws {@link MalformedError}; the reader is useless after.
 */
export class ChunkReader {
	readonly #limits: ChunkLimits;
	readonly #streams = new Map<number, ChunkStream>();
	/** The beginning of a header whose end has not come yet. */
	readonly #carry = new Uint8Array(MAX_CHUNK_HEADER_BYTES);
	#carried = 0;
	#chunkSize = DEFAULT_CHUNK_SIZE;
	/** The chunk stream whose chunk is being read; `undefined` between chunks. */
	#current: ChunkStream | undefined;
	#chunkRemaining = 0;
	#pendingBytes = 0;

	constructor(limits: Partial<ChunkLimits> = {}) {
		this.#limits = { ...DEFAULT_CHUNK_LIMITS, ...limits };
	}

	push(bytes: Uint8Array): ChunkMessage[] {
		const messages: ChunkMessage[] = [];
		this.#consume(bytes, messages);
		return messages;
	}

	#consume(bytes: Uint8Array, messages: ChunkMessage[]): void {
		let at = 0;
		for (;;) {
			if (this.#current !== undefined) {
				at += this.#readPayload(this.#current, bytes.subarray(at), messages);
			}
			if (at === bytes.length) {
				return;
			}
			at += this.#readHeader(bytes.subarray(at), messages);
		}
	}

	/** @returns how many of `bytes` belonged to the current chunk */
	#readPayload(stream: ChunkStream, bytes: Uint8Array, messages: ChunkMessage[]): number {
		const taken = Math.min(this.#chunkRemaining, bytes.length);
		if (taken > 0) {
			stream.payload?.set(bytes.subarray(0, taken), stream.filled);
			stream.filled += taken;
			this.#chunkRemaining -= taken;
		}
		if (this.#chunkRemaining === 0) {
			this.#current = undefined;
			if (stream.filled === stream.length) {
				this.#finish(stream, messages);
			}
		}
		return taken;
	}

	/** @returns how many of `bytes` belonged to the header */
	#readHeader(bytes: Uint8Array, messages: ChunkMessage[]): number {
		const carried = this.#carried;
		const taken = Math.min(bytes.length, MAX_CHUNK_HEADER_BYTES - carried);
		if (carried > 0) {
			this.#carry.set(bytes.subarray(0, taken), carried);
		}
		const read = readChunkHeader(
			carried > 0 ? this.#carry.subarray(0, carried + taken) : bytes,
			(id) => this.#streams.get(id)?.extended,
		);
		if (read === undefined) {
			if (carried === 0) {
				this.#carry.set(bytes);
			}
			this.#carried += taken;
			return taken;
		}
		this.#carried = 0;
		this.#begin(read.header, read.extended);
		if (read.size >= carried) {
			return read.size - carried;
		}
		// What looked like a repeated extended timestamp was the payload's beginning: give those bytes back.
		this.#consume(this.#carry.slice(read.size, carried), messages);
		return 0;
	}

	#begin(header: ChunkHeader, extended: Uint8Array | undefined): void {
		const stream = this.#streamFor(header);
		if (stream.payload === undefined) {
			this.#beginMessage(stream, header, extended);
		} else if (header.format !== 3) {
			throw new MalformedError(
				`rtmp chunk: expected a format 3 chunk to go on with the message on chunk stream ${stream.id}, got format ${header.format}`,
			);
		}
		this.#current = stream;
		this.#chunkRemaining = Math.min(this.#chunkSize, stream.length - stream.filled);
	}

	#streamFor(header: ChunkHeader): ChunkStream {
		const id = header.chunkStreamId;
		const known = this.#streams.get(id);
		if (known !== undefined) {
			return known;
		}
		// librtmp opens a chunk stream with format 1 when it sends a ping; no one needs 2 or 3 there.
		if (header.format > 1) {
			throw new MalformedError(
				`rtmp chunk: expected a full header first on chunk stream ${id}, got format ${header.format}`,
			);
		}
		if (this.#streams.size >= this.#limits.maxChunkStreams) {
			throw new MalformedError(
				`rtmp chunk: expected at most ${this.#limits.maxChunkStreams} chunk streams, got one more (${id})`,
			);
		}
		const stream: ChunkStream = {
			id,
			streamId: 0,
			typeId: 0,
			length: 0,
			timestampMs: 0,
			deltaMs: 0,
			extended: undefined,
			payload: undefined,
			filled: 0,
		};
		this.#streams.set(id, stream);
		return stream;
	}

	#beginMessage(stream: ChunkStream, header: ChunkHeader, extended: Uint8Array | undefined): void {
		if (header.format !== 3) {
			stream.extended = extended;
			// Also after format 0: a format 3 chunk then adds that time again (§5.3.1.2.4), as GStreamer counts on.
			stream.deltaMs = header.timestampMs;
		}
		stream.timestampMs = header.format === 0 ? header.timestampMs : (stream.timestampMs + stream.deltaMs) >>> 0;
		if (header.format === 0) {
			stream.streamId = header.streamId;
		}
		if (header.format < 2 && "length" in header) {
			stream.length = header.length;
			stream.typeId = header.typeId;
		}
		const { maxMessageBytes, maxPendingBytes } = this.#limits;
		if (stream.length > maxMessageBytes) {
			throw new MalformedError(
				`rtmp chunk: expected a message of at most ${maxMessageBytes} bytes, got one of ${stream.length}`,
			);
		}
		if (this.#pendingBytes + stream.length > maxPendingBytes) {
			throw new MalformedError(
				`rtmp chunk: expected at most ${maxPendingBytes} bytes of unfinished messages, got ${this.#pendingBytes + stream.length}`,
			);
		}
		this.#pendingBytes += stream.length;
		stream.payload = new Uint8Array(stream.length);
		stream.filled = 0;
	}

	#finish(stream: ChunkStream, messages: ChunkMessage[]): void {
		const payload = this.#release(stream);
		if (payload === undefined) {
			return;
		}
		const { id: chunkStreamId, streamId, typeId, timestampMs } = stream;
		switch (typeId) {
			case MESSAGE_TYPE.setChunkSize:
				this.#setChunkSize(new ByteReader(payload).u32());
				return;
			case MESSAGE_TYPE.abort: {
				const aborted = this.#streams.get(new ByteReader(payload).u32());
				if (aborted !== undefined) {
					this.#release(aborted);
				}
				return;
			}
			default:
				messages.push({ chunkStreamId, streamId, typeId, timestampMs, payload });
		}
	}

	#release(stream: ChunkStream): Uint8Array | undefined {
		const { payload } = stream;
		if (payload !== undefined) {
			this.#pendingBytes -= stream.length;
			stream.payload = undefined;
			stream.filled = 0;
		}
		return payload;
	}

	#setChunkSize(chunkSize: number): void {
		if (chunkSize < 1 || chunkSize > MAX_CHUNK_SIZE) {
			throw new MalformedError(`rtmp chunk: expected a chunk size from 1 to ${MAX_CHUNK_SIZE}, got ${chunkSize}`);
		}
		this.#chunkSize = chunkSize;
	}
}
