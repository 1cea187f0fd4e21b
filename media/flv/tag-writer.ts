import { ByteWriter } from "../bytes/byte-writer.ts";
import { wrapMs } from "../timestamp.ts";
import type { FlvTag } from "./tag.ts";
import { FILE_HEADER_BYTES, MAX_TAG_BODY_BYTES, PREVIOUS_TAG_SIZE_BYTES, TAG_HEADER_BYTES } from "./tag-framing.ts";

export { isFlvHeader, readSingleTag } from "./tag-reader.ts";

const HAS_AUDIO_AND_VIDEO = 0x05; // UB[5] 0, UB[1] audio, UB[1] 0, UB[1] video
const TIMESTAMP_OFFSET = 4;

/** The 9-byte file header, saying audio and video, with PreviousTagSize0: the first 13 bytes of a file or WS-FLV stream (§E.2). */
export function flvHeader(): Uint8Array {
	return new ByteWriter(FILE_HEADER_BYTES + PREVIOUS_TAG_SIZE_BYTES)
		.u24(0x464c56) // "FLV"
		.u8(1) // Version
		.u8(HAS_AUDIO_AND_VIDEO)
		.u32(FILE_HEADER_BYTES) // DataOffset
		.u32(0) // PreviousTagSize0
		.finish();
}

/**
 * A tag as it stands in a file or WS-FLV message: 11-byte header, body, PreviousTagSize (§E.3–E.4.1). Time past 32 bits wraps.
 *
 * Throws RangeError for a body too large for the 24-bit size.
 */
export function flvTagBytes(tag: FlvTag): Uint8Array {
	const bodyBytes = tag.body.byteLength;
	if (bodyBytes > MAX_TAG_BODY_BYTES) {
		throw new RangeError(`flv: expected a tag body of at most ${MAX_TAG_BODY_BYTES} bytes, got ${bodyBytes}`);
	}
	const timestampMs = wrapMs(tag.timestampMs);
	return new ByteWriter(TAG_HEADER_BYTES + bodyBytes + PREVIOUS_TAG_SIZE_BYTES)
		.u8(tag.type) // UB[2] reserved, UB[1] filter, UB[5] TagType
		.u24(bodyBytes) // DataSize
		.u24(timestampMs % 0x1000000) // Timestamp, lower 24 bits
		.u8(Math.floor(timestampMs / 0x1000000)) // TimestampExtended, upper 8 bits
		.u24(0) // StreamID
		.bytes(tag.body)
		.u32(TAG_HEADER_BYTES + bodyBytes) // PreviousTagSize
		.finish();
}

/** Rewrites the time of a framed tag in place; `timestampMs` outside 32 bits wraps. */
export function setTagTimestamp(tagBytes: Uint8Array, timestampMs: number): void {
	const wrapped = wrapMs(timestampMs);
	const time = new ByteWriter(4)
		.u24(wrapped % 0x1000000)
		.u8(Math.floor(wrapped / 0x1000000))
		.finish();
	tagBytes.set(time, TIMESTAMP_OFFSET);
}
