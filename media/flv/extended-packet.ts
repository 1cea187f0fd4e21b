import { type ByteReader, MalformedError } from "../bytes/byte-reader.ts";

/** Packet type 7 of both tracks: something to read before the real packet type (Enhanced RTMP v2, "ExVideoTagHeader"). */
const MOD_EX = 7;
const MANY_TRACKS_MANY_CODECS = 2;
const ONE_TRACK = 0;

/**
 * Skips ModEx blocks by their size, whatever they say, and gives the packet type after them.
 *
 * @param packetType lower 4 bits of the tag's first byte
 */
export function skipModEx(reader: ByteReader, packetType: number): number {
	let type = packetType;
	while (type === MOD_EX) {
		let size = reader.u8() + 1; // modExDataSize
		if (size === 0x100) {
			size = reader.u16() + 1;
		}
		reader.skip(size);
		type = reader.u8() & 0x0f; // UB[4] modExType, UB[4] packetType
	}
	return type;
}

/** Walks over a multitrack body by the tracks' sizes, so that a cut one is found out; throws {@link MalformedError}. */
export function skipMultitrack(reader: ByteReader): void {
	const multitrackType = reader.u8() >> 4; // UB[4] multitrackType, UB[4] packetType
	if (multitrackType > MANY_TRACKS_MANY_CODECS) {
		throw new MalformedError(`flv: expected multitrack type 0, 1 or 2, got ${multitrackType}`);
	}
	if (multitrackType !== MANY_TRACKS_MANY_CODECS) {
		reader.u32(); // FourCC of all tracks
	}
	do {
		if (multitrackType === MANY_TRACKS_MANY_CODECS) {
			reader.u32(); // FourCC of this track
		}
		reader.u8(); // track id
		reader.skip(multitrackType === ONE_TRACK ? reader.remaining : reader.u24());
	} while (reader.remaining > 0);
}
