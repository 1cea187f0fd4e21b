/**
 * How one axis is scaled: sample `i` of the output is the sum of `count` source samples from `start[i]`, weighted by
 * `weights[i * count …]`, which add up to {@link TAPS_UNIT}.
 */
export interface AxisTaps {
	readonly count: number;
	readonly start: Uint16Array;
	readonly weights: Uint16Array;
}

/** Weights are parts of 256: a sum of weighted samples then fits a lane of 16 bits. */
export const TAPS_UNIT = 256;

/** Area average when shrinking, so that nothing aliases; linear interpolation between sample centres when growing. */
export function axisTaps(sourceLength: number, outputLength: number): AxisTaps {
	const ratio = sourceLength / outputLength;
	const count = tapCount(ratio, sourceLength);
	const start = new Uint16Array(outputLength);
	const weights = new Uint16Array(outputLength * count);
	for (let index = 0; index < outputLength; index++) {
		const exact = ratio > 1 ? areaWeights(index, ratio, sourceLength) : linearWeights(index, ratio, sourceLength);
		const first = Math.min(exact.start, sourceLength - count);
		start[index] = first;
		weights.set(wholeWeights(exact.weights), index * count + (exact.start - first));
	}
	return { count, start, weights };
}

interface ExactTaps {
	readonly start: number;
	readonly weights: number[];
}

function tapCount(ratio: number, sourceLength: number): number {
	if (ratio === 1) {
		return 1;
	}
	const wanted = Number.isInteger(ratio) ? ratio : ratio > 1 ? Math.ceil(ratio) + 1 : 2;
	return Math.min(wanted, sourceLength);
}

/** The share of each source sample in the stretch that one output sample covers. */
function areaWeights(index: number, ratio: number, sourceLength: number): ExactTaps {
	const from = index * ratio;
	const to = Math.min((index + 1) * ratio, sourceLength);
	const start = Math.floor(from);
	const weights: number[] = [];
	for (let sample = start; sample < to; sample++) {
		weights.push((Math.min(sample + 1, to) - Math.max(sample, from)) / (to - from));
	}
	return { start, weights };
}

function linearWeights(index: number, ratio: number, sourceLength: number): ExactTaps {
	const centre = Math.min(Math.max((index + 0.5) * ratio - 0.5, 0), sourceLength - 1);
	const start = Math.floor(centre);
	const fraction = centre - start;
	return { start, weights: fraction === 0 ? [1] : [1 - fraction, fraction] };
}

/** Rounds so that the sum stays exact: a sum of 255 would darken the picture. */
function wholeWeights(weights: readonly number[]): number[] {
	const whole: number[] = [];
	let exactSum = 0;
	let wholeSum = 0;
	for (const weight of weights) {
		exactSum += weight * TAPS_UNIT;
		const rounded = Math.round(exactSum) - wholeSum;
		whole.push(rounded);
		wholeSum += rounded;
	}
	return whole;
}
