import type { PcmTimeline } from "./pcm-timeline.ts";

/** Every fourth sample is enough to find the neighbourhood of the best place: pitch lies far below 6 kHz. */
const COARSE_STEP = 4;

export interface SpliceRange {
	/** Where the sound that is playing goes on. */
	readonly from: number;
	/** Samples compared from there on. */
	readonly length: number;
	/** Samples to skip (positive) or to repeat (negative), from the smallest to the largest wanted magnitude. */
	readonly least: number;
	readonly most: number;
}

/**
 * Finds how far to jump so that the sound there looks most like the sound here, by normalised cross-correlation as in
 * WSOLA: a crossfade between the two then keeps the pitch. Silence looks like any silence: there the longest jump is taken.
 */
export function findSplice(timeline: PcmTimeline, range: SpliceRange): number {
	const sign = Math.sign(range.most);
	const [least, most] = [Math.abs(range.least), Math.abs(range.most)];
	const coarse = best(timeline, range, sign, least, most, COARSE_STEP);
	return (
		best(timeline, range, sign, Math.max(least, coarse - COARSE_STEP), Math.min(most, coarse + COARSE_STEP), 1) * sign
	);
}

function best(
	timeline: PcmTimeline,
	range: SpliceRange,
	sign: number,
	least: number,
	most: number,
	step: number,
): number {
	let bestLag = most;
	let bestLikeness = Number.NEGATIVE_INFINITY;
	for (let lag = most; lag >= least; lag -= step) {
		const likeness = compare(timeline, range.from, range.from + lag * sign, range.length, step);
		if (likeness > bestLikeness) {
			bestLikeness = likeness;
			bestLag = lag;
		}
	}
	return bestLag;
}

/** Normalised cross-correlation of the two places, both sides summed; 0 where one of them is silent. */
function compare(timeline: PcmTimeline, a: number, b: number, length: number, step: number): number {
	const { left, right, mask } = timeline;
	let product = 0;
	let energyA = 0;
	let energyB = 0;
	for (let index = 0; index < length; index += step) {
		const placeA = (a + index) & mask;
		const placeB = (b + index) & mask;
		const sampleA = (left[placeA] as number) + (right[placeA] as number);
		const sampleB = (left[placeB] as number) + (right[placeB] as number);
		product += sampleA * sampleB;
		energyA += sampleA * sampleA;
		energyB += sampleB * sampleB;
	}
	const energy = energyA * energyB;
	return energy < 1e-12 ? 0 : product / Math.sqrt(energy);
}
