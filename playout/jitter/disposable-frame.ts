import type { EncodedFrame } from "../../media/encoded-frame.ts";

const AVCC_LENGTH_BYTES = 4;
/** nal_unit_type 1: a slice of a picture that is no IDR (ITU-T H.264 table 7-1). */
const NON_IDR_SLICE = 1;

/**
 * True when no later frame can need this one, so that it may be left out without breaking the picture: any sound, and
 * H.264 slices with nal_ref_idc 0 (ITU-T H.264 §7.4.1). Other video is taken to be referred to.
 */
export function isDisposable(frame: EncodedFrame): boolean {
	if (frame.track === "audio") {
		return true;
	}
	return frame.codec === "avc" && !frame.keyFrame && hasOnlyDisposableSlices(frame.data);
}

function hasOnlyDisposableSlices(avcc: Uint8Array): boolean {
	const view = new DataView(avcc.buffer, avcc.byteOffset, avcc.byteLength);
	let slices = 0;
	let offset = 0;
	while (offset + AVCC_LENGTH_BYTES < avcc.length) {
		const length = view.getUint32(offset);
		const header = view.getUint8(offset + AVCC_LENGTH_BYTES); // forbidden_zero_bit 1 | nal_ref_idc 2 | nal_unit_type 5
		if ((header & 0x1f) === NON_IDR_SLICE) {
			if ((header & 0x60) !== 0) {
				return false;
			}
			slices += 1;
		}
		offset += AVCC_LENGTH_BYTES + length;
	}
	return slices > 0;
}
