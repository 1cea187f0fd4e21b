import { ByteReader, MalformedError } from "../bytes/byte-reader.ts";

/** F: another block header follows (RFC 2198 §3). */
const FOLLOWED = 0x80;

/** One block of a redundant payload. */
export interface RedBlock {
	/** RTP payload type, 0 to 127. */
	readonly payloadType: number;
	/** How much earlier than the packet's own its time is, in units of the RTP clock; 0 for the primary. */
	readonly earlierBy: number;
	/** Shares memory with the payload. May be empty. */
	readonly data: Uint8Array;
}

/**
 * The blocks of an `audio/red` payload (RFC 2198 §3), oldest first as they are sent; the last is the primary.
 *
 * @throws MalformedError when the payload ends before its blocks do, or holds none
 */
export function readRed(payload: Uint8Array): readonly RedBlock[] {
	const reader = new ByteReader(payload);
	const headers: { payloadType: number; earlierBy: number; length: number | undefined }[] = [];
	for (;;) {
		if (reader.remaining < 1) {
			throw new MalformedError("red: expected another block header, got the payload's end");
		}
		const first = reader.u8();
		const payloadType = first & 0x7f;
		if ((first & FOLLOWED) === 0) {
			headers.push({ payloadType, earlierBy: 0, length: undefined });
			break;
		}
		if (reader.remaining < 3) {
			throw new MalformedError(`red: expected 3 more bytes of a block header, got ${reader.remaining}`);
		}
		const rest = reader.u24();
		headers.push({ payloadType, earlierBy: rest >> 10, length: rest & 0x3ff });
	}
	return headers.map(({ payloadType, earlierBy, length = reader.remaining }) => {
		if (length > reader.remaining) {
			throw new MalformedError(`red: expected a block of ${length} bytes, got ${reader.remaining}`);
		}
		return { payloadType, earlierBy, data: reader.bytes(length) };
	});
}
