import { ByteReader, MalformedError } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";

/** The `nal_unit_type` values that Tandem looks at (ITU-T H.264 Table 7-1). */
export const NAL_TYPE = { slice: 1, idrSlice: 5, sei: 6, sps: 7, pps: 8, accessUnitDelimiter: 9 } as const;

/** Bytes of the length before each NAL unit in AVCC; `avcC` says which, and 3 is not allowed (ISO/IEC 14496-15 §5.3.3.1.2). */
export type NalLengthSize = 1 | 2 | 4;

/** `nal_unit_type`, the lower 5 bits of a NAL unit's first byte; throws {@link MalformedError} for an empty one. */
export function nalUnitType(nal: Uint8Array): number {
	return new ByteReader(nal).u8() & 0x1f;
}

/**
 * The NAL units of length-prefixed (AVCC) data, as views of it.
 *
 * Throws {@link MalformedError} where a length points past the end.
 */
export function* avccNalUnits(data: Uint8Array, lengthSize: NalLengthSize = 4): Generator<Uint8Array, void, undefined> {
	const reader = new ByteReader(data);
	while (reader.remaining > 0) {
		const length = readLength(reader, lengthSize);
		if (length > reader.remaining) {
			throw new MalformedError(`avc: expected a NAL unit of ${length} bytes, got ${reader.remaining}`);
		}
		yield reader.bytes(length);
	}
}

function readLength(reader: ByteReader, lengthSize: NalLengthSize): number {
	switch (lengthSize) {
		case 1:
			return reader.u8();
		case 2:
			return reader.u16();
		case 4:
			return reader.u32();
	}
}

/** Length-prefixed (AVCC) data of the NAL units. Throws {@link MalformedError} for one too long for its length to say. */
export function avccData(nals: readonly Uint8Array[], lengthSize: NalLengthSize): Uint8Array {
	const writer = new ByteWriter(nals.reduce((sum, nal) => sum + lengthSize + nal.byteLength, 0));
	for (const nal of nals) {
		writeLength(writer, nal.byteLength, lengthSize);
		writer.bytes(nal);
	}
	return writer.finish();
}

function writeLength(writer: ByteWriter, length: number, lengthSize: NalLengthSize): void {
	const most = 2 ** (8 * lengthSize) - 1;
	if (length > most) {
		throw new MalformedError(`avc: expected a NAL unit of at most ${most} bytes, got ${length}`);
	}
	switch (lengthSize) {
		case 1:
			writer.u8(length);
			return;
		case 2:
			writer.u16(length);
			return;
		case 4:
			writer.u32(length);
			return;
	}
}

/**
 * The NAL units of an Annex B byte stream, as views of it, without start codes and trailing zeros (ITU-T H.264 §B.1.1).
 *
 * Throws {@link MalformedError} where it does not begin with a start code (zeros may stand before it).
 */
export function* annexBNalUnits(data: Uint8Array): Generator<Uint8Array, void, undefined> {
	let begin = afterStartCode(data, 0);
	if (begin === undefined || data.subarray(0, begin - 1).some((byte) => byte !== 0)) {
		if (data.byteLength === 0) {
			return;
		}
		throw new MalformedError("avc: expected a start code 00 00 01 first, got other bytes");
	}
	while (begin !== undefined) {
		const next = afterStartCode(data, begin);
		let end = next === undefined ? data.byteLength : next - 3;
		while (end > begin && data[end - 1] === 0) {
			end -= 1; // trailing_zero_8bits, or the zero_byte of the next start code
		}
		if (end > begin) {
			yield data.subarray(begin, end);
		}
		begin = next;
	}
}

/** Index after the next 00 00 01 at or after `from`. */
function afterStartCode(data: Uint8Array, from: number): number | undefined {
	for (let one = data.indexOf(1, from + 2); one !== -1; one = data.indexOf(1, one + 1)) {
		if (data[one - 1] === 0 && data[one - 2] === 0) {
			return one + 1;
		}
	}
	return undefined;
}
