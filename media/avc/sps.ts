import { BitReader } from "../bytes/bit-reader.ts";
import { MalformedError } from "../bytes/byte-reader.ts";
import { NAL_TYPE, nalUnitType } from "./nal-units.ts";
import { nalToRbsp } from "./rbsp.ts";
import { readVui, type Vui } from "./vui.ts";

const MACROBLOCK_PIXELS = 16;
/** The largest side a level allows: √(8 × MaxFS) of level 6.2 is 1055 macroblocks (ITU-T H.264 §A.3.1). */
const MAX_SIDE_MACROBLOCKS = 1055;
const MAX_POC_CYCLE = 255; // num_ref_frames_in_pic_order_cnt_cycle (§7.4.2.1.1)

/** Profiles whose SPS gives chroma format, bit depths and scaling lists (§7.3.2.1.1). */
const PROFILES_WITH_CHROMA: ReadonlySet<number> = new Set([
	44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244,
]);
/** With constraint_set3_flag these are intra profiles, which reorder nothing (§E.2.1, max_num_reorder_frames). */
const PROFILES_WITH_INTRA_FORM: ReadonlySet<number> = new Set([44, 86, 100, 110, 122, 244]);
const BASELINE_PROFILE = 66;

/** What a sequence parameter set says about the picture (ITU-T H.264 §7.3.2.1.1 and Annex E). */
export interface Sps {
	/** Size in luma samples after cropping. */
	readonly width: number;
	readonly height: number;
	readonly profileIdc: number;
	/** The byte of constraint flags between profile and level. */
	readonly constraintFlags: number;
	readonly levelIdc: number;
	/** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4 */
	readonly chromaFormatIdc: number;
	readonly bitDepthLuma: number;
	readonly bitDepthChroma: number;
	/** False where pictures may be fields. */
	readonly progressive: boolean;
	readonly maxRefFrames: number;
	/** How many frames may come before a frame in decoding order and after it in output order, where the stream says so or rules it out. */
	readonly maxReorderFrames?: number;
	/** Frames a second, where VUI gives timing. */
	readonly frameRate?: number;
	/** Shape of a sample, where VUI gives it and it is not unspecified. */
	readonly sampleAspectRatio?: { readonly width: number; readonly height: number };
}

/** @param nal the SPS NAL unit with its header byte. Throws {@link MalformedError}. */
export function parseSps(nal: Uint8Array): Sps {
	const type = nalUnitType(nal);
	if (type !== NAL_TYPE.sps) {
		throw new MalformedError(`sps: expected NAL type ${NAL_TYPE.sps}, got ${type}`);
	}
	const bits = new BitReader(nalToRbsp(nal.subarray(1)));
	const profileIdc = bits.bits(8);
	const constraintFlags = bits.bits(8);
	const levelIdc = bits.bits(8);
	bits.ue(); // seq_parameter_set_id
	const chroma = PROFILES_WITH_CHROMA.has(profileIdc) ? readChroma(bits) : EIGHT_BIT_420;
	bits.ue(); // log2_max_frame_num_minus4
	const picOrderCountType = readPicOrderCount(bits);
	const maxRefFrames = bits.ue(); // max_num_ref_frames
	bits.flag(); // gaps_in_frame_num_value_allowed_flag
	const widthMacroblocks = readSide(bits, "width"); // pic_width_in_mbs_minus1
	const heightMapUnits = readSide(bits, "height"); // pic_height_in_map_units_minus1
	const progressive = bits.flag(); // frame_mbs_only_flag
	if (!progressive) {
		bits.flag(); // mb_adaptive_frame_field_flag
	}
	bits.flag(); // direct_8x8_inference_flag
	const size = crop(
		bits,
		widthMacroblocks * MACROBLOCK_PIXELS,
		heightMapUnits * (progressive ? 1 : 2) * MACROBLOCK_PIXELS,
		chroma,
		progressive,
	);
	const vui: Vui = bits.flag() ? readVui(bits) : {}; // vui_parameters_present_flag
	const isIntraProfile = PROFILES_WITH_INTRA_FORM.has(profileIdc) && (constraintFlags & 0x10) !== 0;
	// Picture order count type 2 says that output order is decoding order (§8.2.1.3); Baseline has no B slices.
	const reordersNothing = picOrderCountType === 2 || profileIdc === BASELINE_PROFILE || isIntraProfile;
	const maxReorderFrames = vui.maxReorderFrames ?? (reordersNothing ? 0 : undefined);
	return {
		...size,
		profileIdc,
		constraintFlags,
		levelIdc,
		chromaFormatIdc: chroma.formatIdc,
		bitDepthLuma: chroma.bitDepthLuma,
		bitDepthChroma: chroma.bitDepthChroma,
		progressive,
		maxRefFrames,
		...(maxReorderFrames === undefined ? {} : { maxReorderFrames }),
		...(vui.frameRate === undefined ? {} : { frameRate: vui.frameRate }),
		...(vui.sampleAspectRatio === undefined ? {} : { sampleAspectRatio: vui.sampleAspectRatio }),
	};
}

interface Chroma {
	readonly formatIdc: number;
	readonly bitDepthLuma: number;
	readonly bitDepthChroma: number;
}

const EIGHT_BIT_420: Chroma = { formatIdc: 1, bitDepthLuma: 8, bitDepthChroma: 8 };

function readChroma(bits: BitReader): Chroma {
	const formatIdc = bits.ue(); // chroma_format_idc
	if (formatIdc > 3) {
		throw new MalformedError(`sps: expected a chroma format of 0 to 3, got ${formatIdc}`);
	}
	if (formatIdc === 3) {
		bits.flag(); // separate_colour_plane_flag: either way no chroma plane is smaller than luma
	}
	const bitDepthLuma = bits.ue() + 8; // bit_depth_luma_minus8
	const bitDepthChroma = bits.ue() + 8; // bit_depth_chroma_minus8
	if (bitDepthLuma > 14 || bitDepthChroma > 14) {
		throw new MalformedError(`sps: expected bit depths of 8 to 14, got ${bitDepthLuma} and ${bitDepthChroma}`);
	}
	bits.flag(); // qpprime_y_zero_transform_bypass_flag
	if (bits.flag()) {
		// seq_scaling_matrix_present_flag: six 4×4 lists, then two 8×8 lists, or six for 4:4:4
		const lists = formatIdc === 3 ? 12 : 8;
		for (let list = 0; list < lists; list += 1) {
			if (bits.flag()) {
				skipScalingList(bits, list < 6 ? 16 : 64);
			}
		}
	}
	return { formatIdc, bitDepthLuma, bitDepthChroma };
}

/** scaling_list() (§7.3.2.1.1.1): a next scale of 0 ends the coded part. */
function skipScalingList(bits: BitReader, size: number): void {
	let lastScale = 8;
	for (let index = 0; index < size; index += 1) {
		const nextScale = (((lastScale + bits.se()) % 256) + 256) % 256;
		if (nextScale === 0) {
			return;
		}
		lastScale = nextScale;
	}
}

function readPicOrderCount(bits: BitReader): number {
	const type = bits.ue(); // pic_order_cnt_type
	if (type > 2) {
		throw new MalformedError(`sps: expected a picture order count type of 0 to 2, got ${type}`);
	}
	if (type === 0) {
		bits.ue(); // log2_max_pic_order_cnt_lsb_minus4
	}
	if (type === 1) {
		bits.flag(); // delta_pic_order_always_zero_flag
		bits.se(); // offset_for_non_ref_pic
		bits.se(); // offset_for_top_to_bottom_field
		const cycle = bits.ue(); // num_ref_frames_in_pic_order_cnt_cycle
		if (cycle > MAX_POC_CYCLE) {
			throw new MalformedError(`sps: expected a picture order cycle of at most ${MAX_POC_CYCLE}, got ${cycle}`);
		}
		for (let index = 0; index < cycle; index += 1) {
			bits.se(); // offset_for_ref_frame
		}
	}
	return type;
}

function readSide(bits: BitReader, name: string): number {
	const units = bits.ue() + 1;
	if (units > MAX_SIDE_MACROBLOCKS) {
		throw new MalformedError(`sps: expected a ${name} of at most ${MAX_SIDE_MACROBLOCKS} macroblocks, got ${units}`);
	}
	return units;
}

/** frame_cropping_flag and its offsets, in units of chroma samples, and of two lines where pictures may be fields (§7.4.2.1.1). */
function crop(
	bits: BitReader,
	codedWidth: number,
	codedHeight: number,
	chroma: Chroma,
	progressive: boolean,
): { width: number; height: number } {
	if (!bits.flag()) {
		return { width: codedWidth, height: codedHeight };
	}
	const unitX = chroma.formatIdc === 1 || chroma.formatIdc === 2 ? 2 : 1; // SubWidthC
	const unitY = (chroma.formatIdc === 1 ? 2 : 1) * (progressive ? 1 : 2); // SubHeightC × (2 − frame_mbs_only_flag)
	const cropX = unitX * (bits.ue() + bits.ue()); // left, right
	const cropY = unitY * (bits.ue() + bits.ue()); // top, bottom
	if (cropX >= codedWidth || cropY >= codedHeight) {
		throw new MalformedError(`sps: expected cropping within ${codedWidth}×${codedHeight}, got ${cropX} and ${cropY}`);
	}
	return { width: codedWidth - cropX, height: codedHeight - cropY };
}
