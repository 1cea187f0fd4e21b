import { BitWriter } from "../../../media/bytes/bit-writer.ts";

/** What {@link spsNal} writes; every field has the value an encoder would choose for plain 4:2:0 video. */
export interface SpsFields {
	readonly id?: number;
	/** 4 to 16 */
	readonly log2MaxFrameNum?: number;
	/** 4 to 16 */
	readonly log2MaxPicOrderCountLsb?: number;
	readonly deltaAlwaysZero?: boolean;
	readonly profileIdc?: number;
	readonly constraintFlags?: number;
	readonly widthMacroblocks?: number;
	readonly heightMapUnits?: number;
	readonly picOrderCountType?: 0 | 1 | 2;
	readonly progressive?: boolean;
	/** left, right, top, bottom, in crop units */
	readonly crop?: readonly [number, number, number, number];
	/** Written only for profiles that have it. */
	readonly chroma?: { readonly formatIdc: number; readonly separatePlanes?: boolean; readonly scalingLists?: boolean };
	readonly timing?: readonly [unitsInTick: number, timeScale: number];
	readonly hrd?: boolean;
	readonly aspectRatioIdc?: number;
	readonly reorderFrames?: number;
}

const PROFILES_WITH_CHROMA = [44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244];

/** A sequence parameter set NAL unit, written after ITU-T H.264 §7.3.2.1.1 and §E.1.1 for tests. */
export function spsNal(fields: SpsFields): Uint8Array {
	const bits = new BitWriter();
	const profileIdc = fields.profileIdc ?? 77;
	const progressive = fields.progressive ?? true;
	bits
		.bits(profileIdc, 8)
		.bits(fields.constraintFlags ?? 0, 8)
		.bits(31, 8);
	ue(bits, fields.id ?? 0); // seq_parameter_set_id
	if (PROFILES_WITH_CHROMA.includes(profileIdc)) {
		writeChroma(bits, fields.chroma ?? { formatIdc: 1 });
	}
	ue(bits, (fields.log2MaxFrameNum ?? 4) - 4); // log2_max_frame_num_minus4
	writePicOrderCount(bits, fields);
	ue(bits, 4); // max_num_ref_frames
	bits.flag(false); // gaps_in_frame_num_value_allowed_flag
	ue(bits, (fields.widthMacroblocks ?? 80) - 1);
	ue(bits, (fields.heightMapUnits ?? 45) - 1);
	bits.flag(progressive);
	if (!progressive) {
		bits.flag(true); // mb_adaptive_frame_field_flag
	}
	bits.flag(true); // direct_8x8_inference_flag
	bits.flag(fields.crop !== undefined);
	for (const edge of fields.crop ?? []) {
		ue(bits, edge);
	}
	writeVui(bits, fields);
	return nalOf(0x67, bits.flag(true).finish()); // rbsp_stop_one_bit
}

export function ue(bits: BitWriter, value: number): void {
	const length = 32 - Math.clz32(value + 1);
	bits.bits(0, length - 1).bits(value + 1, length);
}

export function se(bits: BitWriter, value: number): void {
	ue(bits, value > 0 ? 2 * value - 1 : -2 * value);
}

function writeChroma(bits: BitWriter, chroma: NonNullable<SpsFields["chroma"]>): void {
	ue(bits, chroma.formatIdc);
	if (chroma.formatIdc === 3) {
		bits.flag(chroma.separatePlanes ?? false);
	}
	ue(bits, 0); // bit_depth_luma_minus8
	ue(bits, 2); // bit_depth_chroma_minus8
	bits.flag(false); // qpprime_y_zero_transform_bypass_flag
	bits.flag(chroma.scalingLists ?? false);
	if (chroma.scalingLists) {
		const lists = chroma.formatIdc === 3 ? 12 : 8;
		for (let list = 0; list < lists; list += 1) {
			writeScalingList(bits, list);
		}
	}
}

/** A list of each kind: absent, cut short by a next scale of 0, and whole. */
function writeScalingList(bits: BitWriter, list: number): void {
	if (list % 3 === 0) {
		bits.flag(false);
		return;
	}
	bits.flag(true);
	if (list % 3 === 1) {
		se(bits, 2); // 8 + 2
		se(bits, -10); // 0: the rest as the last
		return;
	}
	for (let index = 0; index < (list < 6 ? 16 : 64); index += 1) {
		se(bits, index % 2 === 0 ? 3 : -3);
	}
}

function writePicOrderCount(bits: BitWriter, fields: SpsFields): void {
	const type = fields.picOrderCountType ?? 0;
	ue(bits, type);
	if (type === 0) {
		ue(bits, (fields.log2MaxPicOrderCountLsb ?? 6) - 4); // log2_max_pic_order_cnt_lsb_minus4
	}
	if (type === 1) {
		bits.flag(fields.deltaAlwaysZero ?? false); // delta_pic_order_always_zero_flag
		se(bits, -3); // offset_for_non_ref_pic
		se(bits, 1); // offset_for_top_to_bottom_field
		ue(bits, 2); // num_ref_frames_in_pic_order_cnt_cycle
		se(bits, 4);
		se(bits, -4);
	}
}

function writeVui(bits: BitWriter, { timing, hrd, aspectRatioIdc, reorderFrames }: SpsFields): void {
	if (timing === undefined && hrd !== true && aspectRatioIdc === undefined && reorderFrames === undefined) {
		bits.flag(false);
		return;
	}
	bits.flag(true);
	bits.flag(aspectRatioIdc !== undefined);
	if (aspectRatioIdc !== undefined) {
		bits.bits(aspectRatioIdc, 8);
		if (aspectRatioIdc === 255) {
			bits.bits(64, 16).bits(45, 16);
		}
	}
	bits.flag(true).flag(true); // overscan
	bits.flag(true).bits(5, 3).flag(false).flag(true).bits(1, 8).bits(1, 8).bits(1, 8); // video signal type, colours
	bits.flag(true); // chroma location
	ue(bits, 1);
	ue(bits, 1);
	bits.flag(timing !== undefined);
	if (timing !== undefined) {
		bits.bits(timing[0], 32).bits(timing[1], 32).flag(true);
	}
	for (let kind = 0; kind < 2; kind += 1) {
		bits.flag(hrd === true); // NAL, then VCL
		if (hrd === true) {
			writeHrd(bits);
		}
	}
	if (hrd === true) {
		bits.flag(false); // low_delay_hrd_flag
	}
	bits.flag(true); // pic_struct_present_flag
	bits.flag(reorderFrames !== undefined);
	if (reorderFrames !== undefined) {
		bits.flag(true);
		for (const value of [0, 0, 11, 11, reorderFrames, 4]) {
			ue(bits, value);
		}
	}
}

function writeHrd(bits: BitWriter): void {
	ue(bits, 1); // cpb_cnt_minus1: two
	bits.bits(1, 4).bits(3, 4);
	for (let index = 0; index < 2; index += 1) {
		ue(bits, 46874);
		ue(bits, 46874);
		bits.flag(true);
	}
	bits.bits(23, 5).bits(15, 5).bits(5, 5).bits(24, 5);
}

/** Header byte, then the payload with 03 put in wherever two zeros come before a byte below 4, and after two zeros at its end (§7.4.1.1). */
export function nalOf(header: number, rbsp: Uint8Array): Uint8Array {
	const nal = [header];
	let zeros = 0;
	for (const byte of rbsp) {
		if (zeros === 2 && byte <= 3) {
			nal.push(3);
			zeros = 0;
		}
		nal.push(byte);
		zeros = byte === 0 ? zeros + 1 : 0;
	}
	return Uint8Array.from(zeros === 2 ? [...nal, 3] : nal);
}
