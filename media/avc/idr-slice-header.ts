import { BitReader } from "../bytes/bit-reader.ts";
import { MalformedError } from "../bytes/byte-reader.ts";
import type { ParameterSets } from "./parameter-sets.ts";
import type { Pps } from "./pps.ts";
import type { PicOrderCount } from "./sps.ts";

/** Slice types without the 5 that says "all slices of the picture alike" (ITU-T H.264 Table 7-6). */
const SLICE_TYPE = { i: 2, si: 4 } as const;
const SLICE_TYPES = 5;
const MAX_IDR_PIC_ID = 65535;
const MAX_REDUNDANT_PIC_COUNT = 127;
/** disable_deblocking_filter_idc: 0 on, 1 off, 2 on but not across slices. */
const DEBLOCKING_OFF = 1;
const MAX_DEBLOCKING = 2;

/** Where things stand in the head of an IDR picture's slice, in bits from the begin of its payload (ITU-T H.264 §7.3.3). */
export interface IdrSliceHeader {
	readonly idrPicId: number;
	readonly idrPicIdAt: number;
	readonly afterIdrPicId: number;
	/** The header's end, where the slice's data begins (with cabac_alignment_one_bits in CABAC). */
	readonly end: number;
	readonly entropyCoding: Pps["entropyCoding"];
	/** A picture of one field, top or bottom; `undefined` for a frame. */
	readonly field: "top" | "bottom" | undefined;
}

/**
 * Reads slice_header() of a NAL unit of type 5. Throws {@link MalformedError}, also for a parameter set that did not come.
 *
 * @param rbsp the payload without emulation prevention and without the NAL unit's header byte; it may be cut behind the header
 */
export function readIdrSliceHeader(rbsp: Uint8Array, parameterSets: ParameterSets): IdrSliceHeader {
	const bits = new BitReader(rbsp);
	const at = () => rbsp.byteLength * 8 - bits.remaining;
	bits.ue(); // first_mb_in_slice
	const sliceType = bits.ue(); // slice_type
	if (sliceType >= 2 * SLICE_TYPES || !isIntra(sliceType)) {
		throw new MalformedError(`slice: expected an intra slice (type 2, 4, 7 or 9) in an IDR picture, got ${sliceType}`);
	}
	const { sps, pps } = parameterSets.of(bits.ue()); // pic_parameter_set_id
	if (sps.separateColourPlanes) {
		bits.skip(2); // colour_plane_id
	}
	bits.skip(sps.log2MaxFrameNum); // frame_num
	const field = !sps.progressive && bits.flag() ? (bits.flag() ? "bottom" : "top") : undefined; // field_pic_flag, bottom_field_flag
	const idrPicIdAt = at();
	const idrPicId = bits.ue(); // idr_pic_id
	if (idrPicId > MAX_IDR_PIC_ID) {
		throw new MalformedError(`slice: expected an idr_pic_id of at most ${MAX_IDR_PIC_ID}, got ${idrPicId}`);
	}
	const afterIdrPicId = at();
	skipPicOrderCount(bits, sps.picOrderCount, pps.bottomFieldPicOrderPresent && field === undefined);
	if (pps.redundantPicCountPresent) {
		expectAtMost(bits.ue(), MAX_REDUNDANT_PIC_COUNT, "redundant_pic_cnt");
	}
	bits.flag(); // dec_ref_pic_marking(): no_output_of_prior_pics_flag
	bits.flag(); // long_term_reference_flag
	bits.se(); // slice_qp_delta
	if (sliceType % SLICE_TYPES === SLICE_TYPE.si) {
		bits.se(); // slice_qs_delta
	}
	if (pps.deblockingControlPresent) {
		const deblocking = bits.ue(); // disable_deblocking_filter_idc
		expectAtMost(deblocking, MAX_DEBLOCKING, "disable_deblocking_filter_idc");
		if (deblocking !== DEBLOCKING_OFF) {
			bits.se(); // slice_alpha_c0_offset_div2
			bits.se(); // slice_beta_offset_div2
		}
	}
	return { idrPicId, idrPicIdAt, afterIdrPicId, end: at(), entropyCoding: pps.entropyCoding, field };
}

function isIntra(sliceType: number): boolean {
	const type = sliceType % SLICE_TYPES;
	return type === SLICE_TYPE.i || type === SLICE_TYPE.si;
}

function skipPicOrderCount(bits: BitReader, picOrderCount: PicOrderCount, hasBottom: boolean): void {
	if (picOrderCount.type === 0) {
		bits.skip(picOrderCount.log2MaxLsb); // pic_order_cnt_lsb
		if (hasBottom) {
			bits.se(); // delta_pic_order_cnt_bottom
		}
	} else if (picOrderCount.type === 1 && !picOrderCount.deltaAlwaysZero) {
		bits.se(); // delta_pic_order_cnt[0]
		if (hasBottom) {
			bits.se(); // delta_pic_order_cnt[1]
		}
	}
}

function expectAtMost(value: number, most: number, name: string): void {
	if (value > most) {
		throw new MalformedError(`slice: expected ${name} of at most ${most}, got ${value}`);
	}
}
