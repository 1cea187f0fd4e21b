import { BitWriter } from "../bytes/bit-writer.ts";
import { MalformedError } from "../bytes/byte-reader.ts";
import type { AvcConfig } from "./avc-config.ts";
import { readIdrSliceHeader } from "./idr-slice-header.ts";
import { avccData, avccNalUnits, NAL_TYPE, nalUnitType } from "./nal-units.ts";
import { ParameterSets } from "./parameter-sets.ts";
import { nalToRbsp, rbspToNal } from "./rbsp.ts";

const MAX_IDR_PIC_ID = 65535;
/** UB[1] forbidden_zero_bit, UB[2] nal_ref_idc, UB[5] nal_unit_type; IDR pictures are references (§7.4.1). */
const NAL_REF_IDC = 0x60;

/**
 * `idr_pic_id` of an access unit, 0 to 65535; `undefined` where it holds no IDR slice, as a key frame without one (a recovery point) does.
 *
 * @param sample length-prefixed NAL units as an FLV tag holds them, with `config.lengthSize`; parameter sets in it count before the configuration's
 *
 * Throws {@link MalformedError}.
 */
export function idrPicIdOf(sample: Uint8Array, config: AvcConfig): number | undefined {
	const parameterSets = parameterSetsOf(config);
	for (const nal of avccNalUnits(sample, config.lengthSize)) {
		if (isIdrSlice(nal)) {
			return readIdrSliceHeader(idrPayload(nal), parameterSets).idrPicId;
		}
		pushParameterSet(parameterSets, nal);
	}
	return undefined;
}

/**
 * The same picture with another `idr_pic_id` in each of its IDR slices, as a picture must have that comes right after an IDR picture
 * (ITU-T H.264 §7.4.3). Sample as in {@link idrPicIdOf}; all its other NAL units stay as they are. Copies.
 *
 * In CAVLC a code of another length moves all data by bits, which macroblocks of plain samples do not survive: `unshiftingIdrPicIds`
 * gives ids that leave them whole.
 *
 * Throws {@link MalformedError}, also where no slice is an IDR slice, and RangeError for an id that is no integer from 0 to 65535.
 */
export function withIdrPicId(sample: Uint8Array, config: AvcConfig, idrPicId: number): Uint8Array {
	if (!Number.isInteger(idrPicId) || idrPicId < 0 || idrPicId > MAX_IDR_PIC_ID) {
		throw new RangeError(`avc: expected an idr_pic_id of 0 to ${MAX_IDR_PIC_ID}, got ${idrPicId}`);
	}
	const parameterSets = parameterSetsOf(config);
	const nals: Uint8Array[] = [];
	let slices = 0;
	for (const nal of avccNalUnits(sample, config.lengthSize)) {
		if (isIdrSlice(nal)) {
			slices += 1;
			nals.push(sliceWithIdrPicId(nal, parameterSets, idrPicId));
		} else {
			pushParameterSet(parameterSets, nal);
			nals.push(nal);
		}
	}
	if (slices === 0) {
		throw new MalformedError("avc: expected an IDR slice, got none");
	}
	return avccData(nals, config.lengthSize);
}

function parameterSetsOf(config: AvcConfig): ParameterSets {
	const parameterSets = new ParameterSets();
	for (const nal of [...config.sps, ...config.pps]) {
		parameterSets.push(nal);
	}
	return parameterSets;
}

/** Empty NAL units are no one's business: some muxers leave them. */
function pushParameterSet(parameterSets: ParameterSets, nal: Uint8Array): void {
	if (nal.byteLength > 0) {
		parameterSets.push(nal);
	}
}

function isIdrSlice(nal: Uint8Array): boolean {
	return nal.byteLength > 0 && nalUnitType(nal) === NAL_TYPE.idrSlice;
}

function idrPayload(nal: Uint8Array): Uint8Array {
	if (((nal[0] ?? 0) & NAL_REF_IDC) === 0) {
		throw new MalformedError("slice: expected an IDR slice to be a reference, got nal_ref_idc 0");
	}
	return nalToRbsp(nal.subarray(1));
}

function sliceWithIdrPicId(nal: Uint8Array, parameterSets: ParameterSets, idrPicId: number): Uint8Array {
	const rbsp = idrPayload(nal);
	const header = readIdrSliceHeader(rbsp, parameterSets);
	const bits = new BitWriter().bitsOf(rbsp, 0, header.idrPicIdAt).ue(idrPicId);
	let changed: Uint8Array;
	if (header.entropyCoding === "cabac") {
		changed = cabacSlice(bits.bitsOf(rbsp, header.afterIdrPicId, header.end), rbsp, header.end);
	} else {
		// The data follows the header at whatever bit, so all of it moves, up to and with the stop bit.
		changed = bits.bitsOf(rbsp, header.afterIdrPicId, afterStopBit(rbsp, header.end)).finish();
	}
	return rbspToNal(nal[0] ?? 0, changed);
}

/** CABAC data begins at a whole byte, after ones (§7.3.4), and so stays as it is. */
function cabacSlice(head: BitWriter, rbsp: Uint8Array, headerEnd: number): Uint8Array {
	const dataAt = Math.ceil(headerEnd / 8);
	const alignment = dataAt * 8 - headerEnd;
	const ones = (rbsp[dataAt - 1] ?? 0) & (2 ** alignment - 1);
	if (ones !== 2 ** alignment - 1) {
		throw new MalformedError(`slice: expected ${alignment} cabac_alignment_one_bits, got ${ones.toString(2)}`);
	}
	if (dataAt >= rbsp.byteLength) {
		throw new MalformedError("slice: expected data after its header, got none");
	}
	return head
		.alignWithOnes()
		.bitsOf(rbsp, dataAt * 8, rbsp.byteLength * 8)
		.finish();
}

/** Bits up to and with rbsp_stop_one_bit, the last one that is set. Throws MalformedError where that is in the header. */
function afterStopBit(rbsp: Uint8Array, headerEnd: number): number {
	let last = rbsp.byteLength - 1;
	while (last >= 0 && rbsp[last] === 0) {
		last -= 1;
	}
	const byte = rbsp[last] ?? 0;
	const trailingZeros = 31 - Math.clz32(byte & -byte);
	const end = 8 * (last + 1) - trailingZeros;
	if (end - 1 <= headerEnd) {
		throw new MalformedError(
			`slice: expected data and a stop bit after a header of ${headerEnd} bits, got ${end} bits`,
		);
	}
	return end;
}
