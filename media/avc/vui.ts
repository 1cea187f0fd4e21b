import type { BitReader } from "../bytes/bit-reader.ts";
import { MalformedError } from "../bytes/byte-reader.ts";

const EXTENDED_SAR = 255;
const MAX_CPB_COUNT = 32; // cpb_cnt_minus1 (§E.2.2)

/** Sample aspect ratios by `aspect_ratio_idc`, 1 to 16 (ITU-T H.264 Table E-1). */
const SAMPLE_ASPECT_RATIOS: readonly (readonly [number, number])[] = [
	[1, 1],
	[12, 11],
	[10, 11],
	[16, 11],
	[40, 33],
	[24, 11],
	[20, 11],
	[32, 11],
	[80, 33],
	[18, 11],
	[15, 11],
	[64, 33],
	[160, 99],
	[4, 3],
	[3, 2],
	[2, 1],
];

/** The part of the video usability information that Tandem uses (ITU-T H.264 §E.1.1). */
export interface Vui {
	readonly frameRate?: number;
	readonly maxReorderFrames?: number;
	readonly sampleAspectRatio?: { readonly width: number; readonly height: number };
}

/** Reads vui_parameters(); throws {@link MalformedError}. */
export function readVui(bits: BitReader): Vui {
	const sampleAspectRatio = bits.flag() ? readSampleAspectRatio(bits) : undefined; // aspect_ratio_info_present_flag
	if (bits.flag()) {
		bits.flag(); // overscan_info_present_flag: overscan_appropriate_flag
	}
	if (bits.flag()) {
		// video_signal_type_present_flag
		bits.skip(3 + 1); // video_format, video_full_range_flag
		if (bits.flag()) {
			bits.skip(8 + 8 + 8); // colour_primaries, transfer_characteristics, matrix_coefficients
		}
	}
	if (bits.flag()) {
		bits.ue(); // chroma_sample_loc_type_top_field
		bits.ue(); // chroma_sample_loc_type_bottom_field
	}
	const frameRate = bits.flag() ? readFrameRate(bits) : undefined; // timing_info_present_flag
	const hasNalHrd = bits.flag();
	if (hasNalHrd) {
		skipHrd(bits);
	}
	const hasVclHrd = bits.flag();
	if (hasVclHrd) {
		skipHrd(bits);
	}
	if (hasNalHrd || hasVclHrd) {
		bits.flag(); // low_delay_hrd_flag
	}
	bits.flag(); // pic_struct_present_flag
	const maxReorderFrames = bits.flag() ? readMaxReorderFrames(bits) : undefined; // bitstream_restriction_flag
	return {
		...(sampleAspectRatio === undefined ? {} : { sampleAspectRatio }),
		...(frameRate === undefined ? {} : { frameRate }),
		...(maxReorderFrames === undefined ? {} : { maxReorderFrames }),
	};
}

function readSampleAspectRatio(bits: BitReader): { width: number; height: number } | undefined {
	const idc = bits.bits(8); // aspect_ratio_idc
	const [width, height] =
		idc === EXTENDED_SAR ? [bits.bits(16), bits.bits(16)] : (SAMPLE_ASPECT_RATIOS[idc - 1] ?? [0, 0]);
	return width === 0 || height === 0 ? undefined : { width, height };
}

/** A tick is a field's time, so two of them make a frame (§E.2.1). */
function readFrameRate(bits: BitReader): number | undefined {
	const unitsInTick = bits.bits(32); // num_units_in_tick
	const timeScale = bits.bits(32); // time_scale
	bits.flag(); // fixed_frame_rate_flag
	return unitsInTick === 0 || timeScale === 0 ? undefined : timeScale / (2 * unitsInTick);
}

function readMaxReorderFrames(bits: BitReader): number {
	bits.flag(); // motion_vectors_over_pic_boundaries_flag
	bits.ue(); // max_bytes_per_pic_denom
	bits.ue(); // max_bits_per_mb_denom
	bits.ue(); // log2_max_mv_length_horizontal
	bits.ue(); // log2_max_mv_length_vertical
	const maxReorderFrames = bits.ue(); // max_num_reorder_frames
	bits.ue(); // max_dec_frame_buffering
	return maxReorderFrames;
}

/** hrd_parameters() (§E.1.2). */
function skipHrd(bits: BitReader): void {
	const count = bits.ue() + 1; // cpb_cnt_minus1
	if (count > MAX_CPB_COUNT) {
		throw new MalformedError(`sps: expected at most ${MAX_CPB_COUNT} coded picture buffers, got ${count}`);
	}
	bits.skip(4 + 4); // bit_rate_scale, cpb_size_scale
	for (let index = 0; index < count; index += 1) {
		bits.ue(); // bit_rate_value_minus1
		bits.ue(); // cpb_size_value_minus1
		bits.flag(); // cbr_flag
	}
	bits.skip(5 + 5 + 5 + 5); // initial_cpb_removal_delay_length, cpb_removal_delay_length, dpb_output_delay_length, time_offset_length
}
