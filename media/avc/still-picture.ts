import { BitWriter } from "../bytes/bit-writer.ts";
import { writeAvcConfig } from "./avc-config.ts";
import { avcLevel } from "./level.ts";
import { avccData, NAL_TYPE } from "./nal-units.ts";
import { rbspToNal } from "./rbsp.ts";

const MACROBLOCK_PIXELS = 16;
/** Constrained Baseline: profile_idc 66 with constraint_set0_flag and constraint_set1_flag (ITU-T H.264 §A.2.1.1). */
const PROFILE = 66;
const CONSTRAINTS = 0xc0;
/** UB[1] forbidden_zero_bit, UB[2] nal_ref_idc 3, UB[5] nal_unit_type: all three are references. */
const NAL_REF_IDC = 0x60;
/** Units a second of the time scale: enough for 30000/1001. */
const TIME_UNITS = 1_000;
/** colour_primaries, transfer_characteristics and matrix_coefficients of BT.709 (Tables E-3 to E-5). */
const BT_709 = 1;
const UNSPECIFIED_FORMAT = 5;

/** 51: with its scale of 14 × 16 × 2² a level of 8 is 112 luma steps exactly. */
const BLACK_QP = 51;
const INITIAL_QP = 26;
/** mb_type of I_16x16_2_0_0: predicted by the mean of its neighbours, no coefficient but its own mean (Table 7-11). */
const INTRA_16X16_DC = 3;
const ALL_SLICES_INTRA = 7;
const DEBLOCKING_OFF = 1;

export interface StillPictureFormat {
	/** Even, in pixels. */
	readonly width: number;
	readonly height: number;
	/** Frames a second, which the stream says of itself. */
	readonly frameRate: number;
}

export interface StillPicture {
	/** AVCDecoderConfigurationRecord with 4-byte lengths. */
	readonly config: Uint8Array;
	/** The picture as length-prefixed NAL units. Two in a row must differ in `idrPicId` (§7.4.3). */
	sample(idrPicId: number): Uint8Array;
}

/**
 * A black picture (limited range, BT.709) of one byte a macroblock, made without an encoder.
 *
 * The first macroblock is black by one coefficient; each of the others is what its neighbours are, which says nothing but that. All are
 * coded in CAVLC without deblocking, so that every decoder shows exactly Y = 16, Cb = Cr = 128.
 *
 * @throws RangeError for a size that is odd or past every level
 */
export function stillPicture(format: StillPictureFormat): StillPicture {
	const { width, height } = format;
	if (width % 2 !== 0 || height % 2 !== 0 || width < 2 || height < 2) {
		throw new RangeError(`avc: expected even sides, got ${width}×${height}`);
	}
	const columns = Math.ceil(width / MACROBLOCK_PIXELS);
	const rows = Math.ceil(height / MACROBLOCK_PIXELS);
	const level = avcLevel(width, height, format.frameRate);
	if (level === undefined) {
		throw new RangeError(`avc: expected a picture within level 5.2, got ${width}×${height} at ${format.frameRate} fps`);
	}
	const config = writeAvcConfig({
		profile: PROFILE,
		compatibility: CONSTRAINTS,
		level,
		lengthSize: 4,
		sps: [nal(NAL_TYPE.sps, sequenceParameterSet(format, columns, rows, level))],
		pps: [nal(NAL_TYPE.pps, pictureParameterSet())],
	});
	return {
		config,
		sample: (idrPicId) => avccData([nal(NAL_TYPE.idrSlice, idrSlice(columns * rows, idrPicId))], 4),
	};
}

function nal(type: number, payload: BitWriter): Uint8Array {
	payload.flag(true); // rbsp_stop_one_bit
	return rbspToNal(NAL_REF_IDC | type, payload.finish());
}

/** seq_parameter_set_data() (§7.3.2.1.1). */
function sequenceParameterSet(
	{ width, height, frameRate }: StillPictureFormat,
	columns: number,
	rows: number,
	level: number,
): BitWriter {
	const cropRight = (columns * MACROBLOCK_PIXELS - width) / 2;
	const cropBottom = (rows * MACROBLOCK_PIXELS - height) / 2;
	const bits = new BitWriter()
		.bits(PROFILE, 8) // profile_idc
		.bits(CONSTRAINTS, 8)
		.bits(level, 8) // level_idc
		.ue(0) // seq_parameter_set_id
		.ue(0) // log2_max_frame_num_minus4
		.ue(2) // pic_order_cnt_type: output order is decoding order
		.ue(1) // max_num_ref_frames
		.flag(false) // gaps_in_frame_num_value_allowed_flag
		.ue(columns - 1) // pic_width_in_mbs_minus1
		.ue(rows - 1) // pic_height_in_map_units_minus1
		.flag(true) // frame_mbs_only_flag
		.flag(true) // direct_8x8_inference_flag
		.flag(cropRight > 0 || cropBottom > 0); // frame_cropping_flag
	if (cropRight > 0 || cropBottom > 0) {
		bits.ue(0).ue(cropRight).ue(0).ue(cropBottom); // frame_crop_left_offset, right, top, bottom
	}
	return bits
		.flag(true) // vui_parameters_present_flag
		.flag(true) // aspect_ratio_info_present_flag
		.bits(1, 8) // aspect_ratio_idc: square
		.flag(false) // overscan_info_present_flag
		.flag(true) // video_signal_type_present_flag
		.bits(UNSPECIFIED_FORMAT, 3) // video_format
		.flag(false) // video_full_range_flag
		.flag(true) // colour_description_present_flag
		.bits(BT_709, 8)
		.bits(BT_709, 8)
		.bits(BT_709, 8)
		.flag(false) // chroma_loc_info_present_flag
		.flag(true) // timing_info_present_flag
		.bits(TIME_UNITS, 32) // num_units_in_tick: of a field
		.bits(Math.round(2 * frameRate * TIME_UNITS), 32) // time_scale
		.flag(false) // fixed_frame_rate_flag: a picture may stand
		.flag(false) // nal_hrd_parameters_present_flag
		.flag(false) // vcl_hrd_parameters_present_flag
		.flag(false) // pic_struct_present_flag
		.flag(true) // bitstream_restriction_flag
		.flag(true) // motion_vectors_over_pic_boundaries_flag
		.ue(0) // max_bytes_per_pic_denom: no limit
		.ue(0) // max_bits_per_mb_denom: no limit
		.ue(15) // log2_max_mv_length_horizontal
		.ue(15) // log2_max_mv_length_vertical
		.ue(0) // max_num_reorder_frames
		.ue(1); // max_dec_frame_buffering
}

/** pic_parameter_set_rbsp() (§7.3.2.2). */
function pictureParameterSet(): BitWriter {
	return new BitWriter()
		.ue(0) // pic_parameter_set_id
		.ue(0) // seq_parameter_set_id
		.flag(false) // entropy_coding_mode_flag: CAVLC
		.flag(false) // bottom_field_pic_order_in_frame_present_flag
		.ue(0) // num_slice_groups_minus1
		.ue(0) // num_ref_idx_l0_default_active_minus1
		.ue(0) // num_ref_idx_l1_default_active_minus1
		.flag(false) // weighted_pred_flag
		.bits(0, 2) // weighted_bipred_idc
		.ue(0) // pic_init_qp_minus26: 0, as se(v)
		.ue(0) // pic_init_qs_minus26: 0, as se(v)
		.ue(0) // chroma_qp_index_offset: 0, as se(v)
		.flag(true) // deblocking_filter_control_present_flag
		.flag(false) // constrained_intra_pred_flag
		.flag(false); // redundant_pic_cnt_present_flag
}

/** slice_header() and slice_data() of one slice that is the whole picture (§7.3.3, §7.3.4). */
function idrSlice(macroblocks: number, idrPicId: number): BitWriter {
	const bits = new BitWriter()
		.ue(0) // first_mb_in_slice
		.ue(ALL_SLICES_INTRA) // slice_type
		.ue(0) // pic_parameter_set_id
		.bits(0, 4) // frame_num
		.ue(idrPicId) // idr_pic_id
		.flag(false) // no_output_of_prior_pics_flag
		.flag(false) // long_term_reference_flag
		.ue(2 * (BLACK_QP - INITIAL_QP) - 1) // slice_qp_delta, positive, as se(v)
		.ue(DEBLOCKING_OFF); // disable_deblocking_filter_idc
	blackMacroblock(bits);
	for (let at = 1; at < macroblocks; at += 1) {
		predictedMacroblock(bits).flag(true); // coeff_token: none
	}
	return bits;
}

function predictedMacroblock(bits: BitWriter): BitWriter {
	return bits
		.ue(INTRA_16X16_DC) // mb_type
		.ue(0) // intra_chroma_pred_mode: DC
		.ue(0); // mb_qp_delta
}

/** Without neighbours the prediction is 128; one DC coefficient of −8 takes 112 from every sample (§8.5.10, §8.5.12). */
function blackMacroblock(bits: BitWriter): void {
	predictedMacroblock(bits)
		.bits(0b000101, 6) // coeff_token: one coefficient, no trailing one (Table 9-5, 0 ≤ nC < 2)
		.bits(1, 14) // level_prefix 13: levelCode 13 + 2 is odd, so −8 (§9.2.2.1)
		.flag(true); // total_zeros 0: it is the first (Table 9-7)
}
