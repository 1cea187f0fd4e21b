import { BitReader } from "../bytes/bit-reader.ts";
import { MalformedError } from "../bytes/byte-reader.ts";
import { NAL_TYPE, nalUnitType } from "./nal-units.ts";
import { nalToRbsp } from "./rbsp.ts";
import { readVui, type Vui } from "./vui.ts";

const MACROBLOCK_PIXELS = 16;
/** The largest side a level allows: √(8 × MaxFS) of level 6.2 is 1055 macroblocks (ITU-T H.264 §A.3.1). */
const MAX_SIDE_MACROBLOCKS = 1055;
const MAX_POC_CYCLE = 255; // num_ref_frames_in_pic_order_cnt_cycle (§7.4.2.1.1)
const MAX_SPS_ID = 31;
/** log2_max_frame_num_minus4 and log2_max_pic_order_cnt_lsb_minus4 are 0 to 12 (§7.4.2.1.1). */
const MAX_LOG2 = 16;

/** Profiles whose SPS gives chroma format, bit depths and scaling lists (§7.3.2.1.1). */
const PROFILES_WITH_CHROMA: ReadonlySet<number> = new Set([
	44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244,
]);
/** With constraint_set3_flag these are intra profiles, which reorder nothing (§E.2.1, max_num_reorder_frames). */
const PROFILES_WITH_INTRA_FORM: ReadonlySet<number> = new Set([44, 86, 100, 110, 122, 244]);
const BASELINE_PROFILE = 66;

/** What a sequence parameter set says about the picture (ITU-T H.264 §7.3.2.1.1 and Annex E). */
export interface Sps {
	/** What picture parameter sets call it, 0 to 31. */
	readonly id: number;
	/** Size in luma samples after cropping. */
	readonly width: number;
	readonly height: number;
	readonly profileIdc: number;
	/** The byte of constraint flags between profile and level. */
	readonly constraintFlags: number;
	readonly levelIdc: number;
	/** 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4 */
	readonly chromaFormatIdc: number;
	/** Each slice of 4:4:4 then holds one of the three planes. */
	readonly separateColourPlanes: boolean;
	readonly bitDepthLuma: number;
	readonly bitDepthChroma: number;
	/** Bits of a slice's frame number, 4 to 16. */
	readonly log2MaxFrameNum: number;
	readonly picOrderCount: PicOrderCount;
	/** frame_mbs_only_flag: false where pictures may be fields. */
	readonly progressive: boolean;
	readonly maxRefFrames: number;
	/** How many frames may come before a frame in decoding order and after it in output order, where the stream says so or rules it out. */
	readonly maxReorderFrames?: number;
	/** Frames a second, where VUI gives timing. */
	readonly frameRate?: number;
	/** Shape of a sample, where VUI gives it and it is not unspecified. */
	readonly sampleAspectRatio?: { readonly width: number; readonly height: number };
}

/** How slices tell the order of output (§8.2.1). */
export type PicOrderCount =
	/** By the lowest bits of a count, 4 to 16 of them. */
	| { readonly type: 0; readonly log2MaxLsb: number }
	/** By differences to a cycle that the parameter set gives; none are written where they are always zero. */
	| { readonly type: 1; readonly deltaAlwaysZero: boolean }
	/** Output order is decoding order. */
	| { readonly type: 2 };

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
	const id = bits.ue(); // seq_parameter_set_id
	if (id > MAX_SPS_ID) {
		throw new MalformedError(`sps: expected an id of at most ${MAX_SPS_ID}, got ${id}`);
	}
	const chroma = PROFILES_WITH_CHROMA.has(profileIdc) ? readChroma(bits) : EIGHT_BIT_420;
	const log2MaxFrameNum = readLog2(bits, "frame number"); // log2_max_frame_num_minus4
	const picOrderCount = readPicOrderCount(bits);
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
	const reordersNothing = picOrderCount.type === 2 || profileIdc === BASELINE_PROFILE || isIntraProfile;
	const maxReorderFrames = vui.maxReorderFrames ?? (reordersNothing ? 0 : undefined);
	return {
		id,
		...size,
		profileIdc,
		constraintFlags,
		levelIdc,
		chromaFormatIdc: chroma.formatIdc,
		separateColourPlanes: chroma.separatePlanes,
		bitDepthLuma: chroma.bitDepthLuma,
		bitDepthChroma: chroma.bitDepthChroma,
		log2MaxFrameNum,
		picOrderCount,
		progressive,
		maxRefFrames,
		...(maxReorderFrames === undefined ? {} : { maxReorderFrames }),
		...(vui.frameRate === undefined ? {} : { frameRate: vui.frameRate }),
		...(vui.sampleAspectRatio === undefined ? {} : { sampleAspectRatio: vui.sampleAspectRatio }),
	};
}

interface Chroma {
	readonly formatIdc: number;
	readonly separatePlanes: boolean;
	readonly bitDepthLuma: number;
	readonly bitDepthChroma: number;
}

const EIGHT_BIT_420: Chroma = { formatIdc: 1, separatePlanes: false, bitDepthLuma: 8, bitDepthChroma: 8 };

function readChroma(bits: BitReader): Chroma {
	const formatIdc = bits.ue(); // chroma_format_idc
	if (formatIdc > 3) {
		throw new MalformedError(`sps: expected a chroma format of 0 to 3, got ${formatIdc}`);
	}
	const separatePlanes = formatIdc === 3 && bits.flag(); // separate_colour_plane_flag: either way no chroma plane is smaller than luma
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
	return { formatIdc, separatePlanes, bitDepthLuma, bitDepthChroma };
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

function readLog2(bits: BitReader, name: string): number {
	const log2 = bits.ue() + 4;
	if (log2 > MAX_LOG2) {
		throw new MalformedError(`sps: expected a ${name} of at most ${MAX_LOG2} bits, got ${log2}`);
	}
	return log2;
}

function readPicOrderCount(bits: BitReader): PicOrderCount {
	const type = bits.ue(); // pic_order_cnt_type
	switch (type) {
		case 0:
			return { type, log2MaxLsb: readLog2(bits, "picture order count") }; // log2_max_pic_order_cnt_lsb_minus4
		case 1: {
			const deltaAlwaysZero = bits.flag(); // delta_pic_order_always_zero_flag
			bits.se(); // offset_for_non_ref_pic
			bits.se(); // offset_for_top_to_bottom_field
			const cycle = bits.ue(); // num_ref_frames_in_pic_order_cnt_cycle
			if (cycle > MAX_POC_CYCLE) {
				throw new MalformedError(`sps: expected a picture order cycle of at most ${MAX_POC_CYCLE}, got ${cycle}`);
			}
			for (let index = 0; index < cycle; index += 1) {
				bits.se(); // offset_for_ref_frame
			}
			return { type, deltaAlwaysZero };
		}
		case 2:
			return { type };
		default:
			throw new MalformedError(`sps: expected a picture order count type of 0 to 2, got ${type}`);
	}
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
