import type { AvcConfig } from "./avc-config.ts";
import { idrPicIdOf, withIdrPicId } from "./idr-pic-id.ts";
import { withoutSei } from "./without-sei.ts";

/** Id codes have 2k + 1 bits, where k is log2 of the id plus one, rounded down; ids go to 65535. */
const MAX_K = 16;
/** k of codes that are a whole byte longer or shorter. */
const BYTE_IN_K = 4;

/**
 * What to send, alternately and the first one first, after an IDR picture to show it again and again: the same picture with two other
 * ids, without supplemental enhancement information. `undefined` where the access unit holds no IDR slice: it cannot be repeated lawfully.
 *
 * Sample as in {@link idrPicIdOf}. Throws {@link MalformedError}.
 */
export function repeatedIdr(sample: Uint8Array, config: AvcConfig): readonly [Uint8Array, Uint8Array] | undefined {
	const idrPicId = idrPicIdOf(sample, config);
	if (idrPicId === undefined) {
		return undefined;
	}
	const bare = withoutSei(sample, config.lengthSize);
	const [first, second] = unshiftingIdrPicIds(idrPicId);
	return [withIdrPicId(bare, config, first), withIdrPicId(bare, config, second)];
}

/**
 * Two other ids with which all that follows in a slice keeps its place within the byte. In CAVLC that is what macroblocks of plain
 * samples (I_PCM) need: they begin at whole bytes, and where they are only a decoder of all macroblocks before them would know.
 */
export function unshiftingIdrPicIds(idrPicId: number): readonly [number, number] {
	const k = 31 - Math.clz32(idrPicId + 1);
	if (k === MAX_K) {
		return idsOfLength(k - BYTE_IN_K, idrPicId); // 65535 is alone
	}
	return idsOfLength(k < 2 ? k + BYTE_IN_K : k, idrPicId); // ids 0 to 2 have not two others of their length
}

function idsOfLength(k: number, except: number): readonly [number, number] {
	const [first, second, third] = [2 ** k - 1, 2 ** k, 2 ** k + 1];
	if (first === except) {
		return [second, third];
	}
	return second === except ? [first, third] : [first, second];
}
