import { avccData, avccNalUnits, NAL_TYPE, type NalLengthSize, nalUnitType } from "./nal-units.ts";

/**
 * The access unit without supplemental enhancement information: a picture shown again must not say its captions and time codes again.
 * Empty NAL units go too. The same bytes come back where there is nothing to leave out. Throws {@link MalformedError}.
 *
 * @param sample length-prefixed NAL units as an FLV tag holds them, with lengths of `lengthSize` bytes (the configuration says how many)
 */
export function withoutSei(sample: Uint8Array, lengthSize: NalLengthSize): Uint8Array {
	const nals = [...avccNalUnits(sample, lengthSize)];
	const kept = nals.filter((nal) => nal.byteLength > 0 && nalUnitType(nal) !== NAL_TYPE.sei);
	return kept.length === nals.length ? sample : avccData(kept, lengthSize);
}
