import { ByteReader, MalformedError } from "../bytes/byte-reader.ts";
import { type FlvTag, TAG_TYPE, type TagType } from "./tag.ts";
import { FILE_HEADER_BYTES, MAX_TAG_BODY_BYTES, PREVIOUS_TAG_SIZE_BYTES, TAG_HEADER_BYTES } from "./tag-framing.ts";

const SIGNATURE = 0x464c56; // "FLV"
const VERSION = 1;
/** The file header may be longer than 9 bytes in versions to come; this is far more than any can need, and bounds the wait. */
const MAX_FILE_HEADER_BYTES = 1024;

export interface FlvTagReaderOptions {
	/** Largest tag body to accept; a larger one is refused before it is collected. Default: what 24 bits can say. */
	readonly maxTagBytes?: number;
}

/**
 * Incremental reader of an FLV byte stream (Adobe FLV 10.1 §E.2–E.4): file header and PreviousTagSize0, then tags, split anywhere.
 *
 * Bodies are views of the pushed bytes where a tag lay whole in one push: do not write to bytes after pushing them. Throws
 * {@link MalformedError}; after that the stream is lost, and each later push throws again.
 */
export class FlvTagReader {
	readonly #maxTagBytes: number;
	#buffer: Uint8Array = new Uint8Array(0);
	#start = 0;
	#end = 0;
	#headerRead = false;

	constructor(options: FlvTagReaderOptions = {}) {
		this.#maxTagBytes = options.maxTagBytes ?? MAX_TAG_BODY_BYTES;
	}

	/** @returns the tags that are now complete, in order */
	push(bytes: Uint8Array): FlvTag[] {
		this.#append(bytes);
		if (!this.#headerRead && !this.#takeFileHeader()) {
			return [];
		}
		const tags: FlvTag[] = [];
		for (let tag = this.#takeTag(); tag !== undefined; tag = this.#takeTag()) {
			tags.push(tag);
		}
		return tags;
	}

	#takeFileHeader(): boolean {
		const available = this.#end - this.#start;
		const reader = new ByteReader(this.#buffer.subarray(this.#start, this.#end));
		if (available < FILE_HEADER_BYTES) {
			return false;
		}
		const headerBytes = readFileHeader(reader);
		if (available < headerBytes + PREVIOUS_TAG_SIZE_BYTES) {
			return false;
		}
		reader.skip(headerBytes - FILE_HEADER_BYTES);
		expectPreviousTagSize(reader, 0);
		this.#start += reader.offset;
		this.#headerRead = true;
		return true;
	}

	#takeTag(): FlvTag | undefined {
		const available = this.#end - this.#start;
		if (available < TAG_HEADER_BYTES) {
			return undefined;
		}
		const reader = new ByteReader(this.#buffer.subarray(this.#start, this.#end));
		const header = readTagHeader(reader, this.#maxTagBytes);
		if (available < TAG_HEADER_BYTES + header.bodyBytes + PREVIOUS_TAG_SIZE_BYTES) {
			return undefined;
		}
		const tag = readTagRest(reader, header);
		this.#start += reader.offset;
		return tag;
	}

	/** Collects in a buffer that doubles, so that one tag in many small pieces costs linear time. Bytes given out are never moved over. */
	#append(bytes: Uint8Array): void {
		const pending = this.#end - this.#start;
		if (pending === 0) {
			this.#buffer = bytes;
			this.#start = 0;
			this.#end = bytes.byteLength;
			return;
		}
		if (this.#end + bytes.byteLength > this.#buffer.byteLength) {
			const larger = new Uint8Array(Math.max(pending + bytes.byteLength, pending * 2));
			larger.set(this.#buffer.subarray(this.#start, this.#end));
			this.#buffer = larger;
			this.#start = 0;
			this.#end = pending;
		}
		this.#buffer.set(bytes, this.#end);
		this.#end += bytes.byteLength;
	}
}

/**
 * Reads a WS-FLV message: exactly one tag with its header and PreviousTagSize. The body is a view of the message.
 *
 * Throws {@link MalformedError} where the message holds less or more.
 */
export function readSingleTag(message: Uint8Array): FlvTag {
	const reader = new ByteReader(message);
	const tag = readTagRest(reader, readTagHeader(reader, MAX_TAG_BODY_BYTES));
	if (reader.remaining !== 0) {
		throw new MalformedError(`flv: expected one tag of ${reader.offset} bytes, got ${reader.remaining} bytes after it`);
	}
	return tag;
}

/** Whether a WS-FLV message is the file header with PreviousTagSize0 (13 bytes) and not a tag. */
export function isFlvHeader(message: Uint8Array): boolean {
	if (message.byteLength !== FILE_HEADER_BYTES + PREVIOUS_TAG_SIZE_BYTES) {
		return false;
	}
	const reader = new ByteReader(message);
	return reader.u24() === SIGNATURE && reader.u8() === VERSION;
}

interface TagHeader {
	readonly type: TagType;
	readonly bodyBytes: number;
	readonly timestampMs: number;
}

/** @returns the header's own length in bytes, of which {@link FILE_HEADER_BYTES} have been read */
function readFileHeader(reader: ByteReader): number {
	const signature = reader.u24();
	if (signature !== SIGNATURE) {
		throw new MalformedError(`flv: expected signature "FLV", got 0x${signature.toString(16).padStart(6, "0")}`);
	}
	const version = reader.u8();
	if (version !== VERSION) {
		throw new MalformedError(`flv: expected version ${VERSION}, got ${version}`);
	}
	reader.u8(); // Which tracks are there is often wrong in live streams, so the tags themselves say.
	const dataOffset = reader.u32();
	if (dataOffset < FILE_HEADER_BYTES || dataOffset > MAX_FILE_HEADER_BYTES) {
		throw new MalformedError(`flv: expected a header of 9 to ${MAX_FILE_HEADER_BYTES} bytes, got ${dataOffset}`);
	}
	return dataOffset;
}

function readTagHeader(reader: ByteReader, maxTagBytes: number): TagHeader {
	const type = reader.u8();
	if (type !== TAG_TYPE.audio && type !== TAG_TYPE.video && type !== TAG_TYPE.script) {
		throw new MalformedError(`flv: expected tag type 8, 9 or 18, got ${type}`);
	}
	const bodyBytes = reader.u24();
	if (bodyBytes > maxTagBytes) {
		throw new MalformedError(`flv: expected a tag of at most ${maxTagBytes} bytes, got ${bodyBytes}`);
	}
	const timestampLow = reader.u24();
	const timestampExtended = reader.u8(); // the upper 8 bits
	const streamId = reader.u24();
	if (streamId !== 0) {
		throw new MalformedError(`flv: expected stream id 0, got ${streamId}`);
	}
	return { type, bodyBytes, timestampMs: timestampExtended * 0x1000000 + timestampLow };
}

function readTagRest(reader: ByteReader, header: TagHeader): FlvTag {
	const body = reader.bytes(header.bodyBytes);
	expectPreviousTagSize(reader, TAG_HEADER_BYTES + header.bodyBytes);
	return { type: header.type, timestampMs: header.timestampMs, body };
}

function expectPreviousTagSize(reader: ByteReader, expected: number): void {
	const size = reader.u32();
	if (size !== expected) {
		throw new MalformedError(`flv: expected previous tag size ${expected}, got ${size}`);
	}
}
