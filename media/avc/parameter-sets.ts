import { MalformedError } from "../bytes/byte-reader.ts";
import { NAL_TYPE, nalUnitType } from "./nal-units.ts";
import { type Pps, parsePps } from "./pps.ts";
import { parseSps, type Sps } from "./sps.ts";

/** The parameter sets that slices refer to; a later one with the same id takes an earlier one's place (ITU-T H.264 §7.4.1.2.1). */
export class ParameterSets {
	readonly #sps = new Map<number, Sps>();
	readonly #pps = new Map<number, Pps>();

	/** Takes any NAL unit and leaves what is no parameter set. Throws {@link MalformedError}. */
	push(nal: Uint8Array): void {
		switch (nalUnitType(nal)) {
			case NAL_TYPE.sps: {
				const sps = parseSps(nal);
				this.#sps.set(sps.id, sps);
				return;
			}
			case NAL_TYPE.pps: {
				const pps = parsePps(nal);
				this.#pps.set(pps.id, pps);
				return;
			}
		}
	}

	/** The sets of a slice that names this picture parameter set. Throws {@link MalformedError} where one did not come. */
	of(ppsId: number): { readonly sps: Sps; readonly pps: Pps } {
		const pps = this.#pps.get(ppsId);
		if (pps === undefined) {
			throw new MalformedError(`slice: expected a picture parameter set ${ppsId}, got none`);
		}
		const sps = this.#sps.get(pps.spsId);
		if (sps === undefined) {
			throw new MalformedError(`slice: expected a sequence parameter set ${pps.spsId}, got none`);
		}
		return { sps, pps };
	}
}
