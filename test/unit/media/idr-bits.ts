import { BitWriter } from "../../../media/bytes/bit-writer.ts";
import type { PpsFields } from "./pps-bits.ts";
import { nalOf, type SpsFields, se, ue } from "./sps-bits.ts";

/** What {@link idrSliceNal} writes besides what its parameter sets say. */
export interface IdrSliceFields {
	readonly sps: SpsFields;
	readonly pps: PpsFields;
	readonly firstMacroblock?: number;
	/** 7, all slices intra, where it is not said */
	readonly sliceType?: number;
	readonly nalRefIdc?: number;
	readonly colourPlane?: number;
	readonly field?: "top" | "bottom";
	readonly frameNum?: number;
	readonly picOrderCountLsb?: number;
	readonly deltas?: readonly [number, number];
	readonly quantiserDelta?: number;
	readonly deblocking?: number;
	/** Macroblocks, as text of zeros and ones; in CABAC whole bytes. */
	readonly data: string;
}

/** The slice NAL unit of an IDR picture, written after ITU-T H.264 §7.3.3 and §7.3.4 for tests. */
export function idrSliceNal(fields: IdrSliceFields, idrPicId: number): Uint8Array {
	const { sps, pps, field } = fields;
	const bits = new BitWriter();
	const sliceType = fields.sliceType ?? 7;
	ue(bits, fields.firstMacroblock ?? 0);
	ue(bits, sliceType);
	ue(bits, pps.id ?? 0);
	if (sps.chroma?.separatePlanes) {
		bits.bits(fields.colourPlane ?? 0, 2);
	}
	bits.bits(fields.frameNum ?? 0, sps.log2MaxFrameNum ?? 4);
	if (sps.progressive === false) {
		bits.flag(field !== undefined);
		if (field !== undefined) {
			bits.flag(field === "bottom");
		}
	}
	ue(bits, idrPicId);
	writePicOrderCount(bits, fields);
	if (pps.redundantPicCountPresent) {
		ue(bits, 0);
	}
	bits.flag(false).flag(false); // no_output_of_prior_pics_flag, long_term_reference_flag
	se(bits, fields.quantiserDelta ?? 0);
	if (sliceType % 5 === 4) {
		se(bits, -3); // slice_qs_delta
	}
	if (pps.deblockingControlPresent) {
		const deblocking = fields.deblocking ?? 0;
		ue(bits, deblocking);
		if (deblocking !== 1) {
			se(bits, -2);
			se(bits, 3);
		}
	}
	if (pps.cabac) {
		bits.alignWithOnes();
	}
	for (const bit of fields.data) {
		bits.flag(bit === "1");
	}
	const header = ((fields.nalRefIdc ?? 3) << 5) | 5;
	return nalOf(header, pps.cabac ? bits.finish() : bits.flag(true).finish());
}

function writePicOrderCount(bits: BitWriter, { sps, pps, field, picOrderCountLsb, deltas }: IdrSliceFields): void {
	const hasBottom = pps.bottomFieldPicOrderPresent === true && field === undefined;
	const [top, bottom] = deltas ?? [0, 0];
	const type = sps.picOrderCountType ?? 0;
	if (type === 0) {
		bits.bits(picOrderCountLsb ?? 0, sps.log2MaxPicOrderCountLsb ?? 6);
		if (hasBottom) {
			se(bits, bottom);
		}
	}
	if (type === 1 && sps.deltaAlwaysZero !== true) {
		se(bits, top);
		if (hasBottom) {
			se(bits, bottom);
		}
	}
}

/** Bytes as text of zeros and ones. */
export function bitText(bytes: Uint8Array): string {
	return Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
}
