import { unwrapNearMs } from "../../media/timestamp.ts";

/** From one time of the FLV wire to another, across its wrap at 2^32: negative when `toMs` is the earlier one. */
export function wireMsBetween(fromMs: number, toMs: number): number {
	return unwrapNearMs(toMs - fromMs, 0);
}
