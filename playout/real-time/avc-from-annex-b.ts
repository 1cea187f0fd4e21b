import { writeAvcConfig } from "../../media/avc/avc-config.ts";
import { annexBNalUnits, avccData, NAL_TYPE, nalUnitType } from "../../media/avc/nal-units.ts";

export interface AvcSample {
	/** AVCC, 4-byte lengths, without parameter sets. */
	readonly data: Uint8Array;
	/** `avcC`, where it is not the one before. */
	readonly config?: Uint8Array;
}

/** H.264 as it comes by RTP (Annex B, parameter sets within) as our frames have it. */
export class AvcFromAnnexB {
	#sps: Uint8Array | undefined;
	#pps: Uint8Array | undefined;

	push(frame: Uint8Array): AvcSample {
		const nals = [...annexBNalUnits(frame)];
		const sps = nals.find((nal) => nalUnitType(nal) === NAL_TYPE.sps);
		const pps = nals.find((nal) => nalUnitType(nal) === NAL_TYPE.pps);
		const rest = nals.filter((nal) => {
			const type = nalUnitType(nal);
			return type !== NAL_TYPE.sps && type !== NAL_TYPE.pps && type !== NAL_TYPE.accessUnitDelimiter;
		});
		const data = avccData(rest, 4);
		const isNew = (sps !== undefined && !same(sps, this.#sps)) || (pps !== undefined && !same(pps, this.#pps));
		this.#sps = sps?.slice() ?? this.#sps;
		this.#pps = pps?.slice() ?? this.#pps;
		if (!isNew || this.#sps === undefined || this.#pps === undefined) {
			return { data };
		}
		const [profile = 0, compatibility = 0, level = 0] = this.#sps.subarray(1, 4);
		const config = writeAvcConfig({
			profile,
			compatibility,
			level,
			lengthSize: 4,
			sps: [this.#sps],
			pps: [this.#pps],
		});
		return { data, config };
	}
}

function same(a: Uint8Array, b: Uint8Array | undefined): boolean {
	return a.byteLength === b?.byteLength && a.every((byte, index) => byte === b?.[index]);
}
