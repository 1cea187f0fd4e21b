import { ByteWriter } from "../bytes/byte-writer.ts";
import { annexBNalUnits, avccNalUnits, type NalLengthSize } from "./nal-units.ts";

const START_CODE = 0x00000001; // zero_byte and start_code_prefix_one_3bytes
/** Of a start code and of an AVCC length alike. */
const PREFIX_BYTES = 4;

/** Annex B to NAL units with 4-byte lengths; copies. Throws MalformedError where no start code comes first. */
export function annexBToAvcc(data: Uint8Array): Uint8Array {
	return withLengths(annexBNalUnits(data), data.byteLength);
}

/** Length-prefixed NAL units to Annex B with 4-byte start codes; copies. Empty units are left out. Throws MalformedError. */
export function avccToAnnexB(data: Uint8Array, lengthSize: NalLengthSize = 4): Uint8Array {
	const writer = new ByteWriter(data.byteLength + PREFIX_BYTES);
	for (const nal of avccNalUnits(data, lengthSize)) {
		if (nal.byteLength > 0) {
			writer.u32(START_CODE).bytes(nal);
		}
	}
	return writer.finish();
}

/** Rewrites shorter lengths as 4 bytes, the only form in an EncodedFrame; the same bytes come back where they are 4 already. */
export function withFourByteLengths(data: Uint8Array, lengthSize: NalLengthSize): Uint8Array {
	return lengthSize === 4 ? data : withLengths(avccNalUnits(data, lengthSize), data.byteLength);
}

function withLengths(nals: Iterable<Uint8Array>, roughBytes: number): Uint8Array {
	const writer = new ByteWriter(roughBytes + PREFIX_BYTES);
	for (const nal of nals) {
		writer.u32(nal.byteLength).bytes(nal);
	}
	return writer.finish();
}
