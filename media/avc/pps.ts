import { BitReader } from "../bytes/bit-reader.ts";
import { MalformedError } from "../bytes/byte-reader.ts";
import { NAL_TYPE, nalUnitType } from "./nal-units.ts";
import { nalToRbsp } from "./rbsp.ts";

const MAX_PPS_ID = 255;
const MAX_SPS_ID = 31;
const MAX_REF_INDEX = 31; // num_ref_idx_l0_default_active_minus1 and its like (§7.4.2.2)

/** What a picture parameter set says of the heads of slices (ITU-T H.264 §7.3.2.2). */
export interface Pps {
	/** What slices call it, 0 to 255. */
	readonly id: number;
	/** The sequence parameter set it goes with, 0 to 31. */
	readonly spsId: number;
	readonly entropyCoding: "cavlc" | "cabac";
	/** bottom_field_pic_order_in_frame_present_flag */
	readonly bottomFieldPicOrderPresent: boolean;
	readonly weightedPrediction: boolean;
	/** weighted_bipred_idc: 0 no weights, 1 explicit, 2 by distance in time. */
	readonly weightedBiprediction: number;
	/** deblocking_filter_control_present_flag */
	readonly deblockingControlPresent: boolean;
	/** redundant_pic_cnt_present_flag */
	readonly redundantPicCountPresent: boolean;
}

/**
 * @param nal the PPS NAL unit with its header byte. What follows redundant_pic_cnt_present_flag is not looked at.
 *
 * Throws {@link MalformedError}, also for several slice groups: no encoder in use makes them and no player in use shows them.
 */
export function parsePps(nal: Uint8Array): Pps {
	const type = nalUnitType(nal);
	if (type !== NAL_TYPE.pps) {
		throw new MalformedError(`pps: expected NAL type ${NAL_TYPE.pps}, got ${type}`);
	}
	const bits = new BitReader(nalToRbsp(nal.subarray(1)));
	const id = readAtMost(bits, MAX_PPS_ID, "an id"); // pic_parameter_set_id
	const spsId = readAtMost(bits, MAX_SPS_ID, "a sequence parameter set id"); // seq_parameter_set_id
	const entropyCoding = bits.flag() ? "cabac" : "cavlc"; // entropy_coding_mode_flag
	const bottomFieldPicOrderPresent = bits.flag(); // bottom_field_pic_order_in_frame_present_flag
	const sliceGroups = bits.ue() + 1; // num_slice_groups_minus1
	if (sliceGroups > 1) {
		throw new MalformedError(`pps: expected one slice group, got ${sliceGroups}`);
	}
	readAtMost(bits, MAX_REF_INDEX, "a reference index"); // num_ref_idx_l0_default_active_minus1
	readAtMost(bits, MAX_REF_INDEX, "a reference index"); // num_ref_idx_l1_default_active_minus1
	const weightedPrediction = bits.flag(); // weighted_pred_flag
	const weightedBiprediction = bits.bits(2); // weighted_bipred_idc
	if (weightedBiprediction > 2) {
		throw new MalformedError(`pps: expected a weighted biprediction of 0 to 2, got ${weightedBiprediction}`);
	}
	bits.se(); // pic_init_qp_minus26
	bits.se(); // pic_init_qs_minus26
	bits.se(); // chroma_qp_index_offset
	const deblockingControlPresent = bits.flag(); // deblocking_filter_control_present_flag
	bits.flag(); // constrained_intra_pred_flag
	const redundantPicCountPresent = bits.flag(); // redundant_pic_cnt_present_flag
	return {
		id,
		spsId,
		entropyCoding,
		bottomFieldPicOrderPresent,
		weightedPrediction,
		weightedBiprediction,
		deblockingControlPresent,
		redundantPicCountPresent,
	};
}

function readAtMost(bits: BitReader, most: number, name: string): number {
	const value = bits.ue();
	if (value > most) {
		throw new MalformedError(`pps: expected ${name} of at most ${most}, got ${value}`);
	}
	return value;
}
