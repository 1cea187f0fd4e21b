import { BitWriter } from "../../../media/bytes/bit-writer.ts";
import { nalOf, se, ue } from "./sps-bits.ts";

/** What {@link ppsNal} writes; a field that is left out is 0, or off. */
export interface PpsFields {
	readonly id?: number;
	readonly spsId?: number;
	readonly cabac?: boolean;
	readonly bottomFieldPicOrderPresent?: boolean;
	readonly sliceGroups?: number;
	readonly refIndexes?: readonly [number, number];
	readonly weightedPrediction?: boolean;
	readonly weightedBiprediction?: number;
	readonly initialQuantisers?: readonly [number, number, number];
	readonly deblockingControlPresent?: boolean;
	readonly redundantPicCountPresent?: boolean;
}

/** A picture parameter set NAL unit, written after ITU-T H.264 §7.3.2.2 for tests. */
export function ppsNal(fields: PpsFields): Uint8Array {
	const bits = new BitWriter();
	ue(bits, fields.id ?? 0); // pic_parameter_set_id
	ue(bits, fields.spsId ?? 0); // seq_parameter_set_id
	bits.flag(fields.cabac ?? false); // entropy_coding_mode_flag
	bits.flag(fields.bottomFieldPicOrderPresent ?? false); // bottom_field_pic_order_in_frame_present_flag
	ue(bits, (fields.sliceGroups ?? 1) - 1); // num_slice_groups_minus1
	for (const index of fields.refIndexes ?? [0, 0]) {
		ue(bits, index); // num_ref_idx_l0_default_active_minus1, num_ref_idx_l1_default_active_minus1
	}
	bits.flag(fields.weightedPrediction ?? false).bits(fields.weightedBiprediction ?? 0, 2);
	for (const value of fields.initialQuantisers ?? [0, 0, 0]) {
		se(bits, value); // pic_init_qp_minus26, pic_init_qs_minus26, chroma_qp_index_offset
	}
	bits
		.flag(fields.deblockingControlPresent ?? false)
		.flag(false)
		.flag(fields.redundantPicCountPresent ?? false);
	return nalOf(0x68, bits.flag(true).finish()); // rbsp_stop_one_bit
}
