import type { PcmTimeline } from "./pcm-timeline.ts";

/** Enough for a transition from 37 % to 54 % of the source's rate with Kaiser β = 8 (80 dB). */
const TAPS = 32;
/** With linear interpolation between phases their error is near −100 dB. */
const PHASES = 256;
const KAISER_BETA = 8;
/** Middle of the transition, as a share of the lower of the two rates. */
const CUTOFF = 0.455;

/**
 * Reads a timeline between its samples: a windowed-sinc polyphase filter, at any position, so the ratio of rates may change
 * from sample to sample. For sources above `outputRate` the filter is as much longer and lower as they are faster.
 */
export class SincInterpolator {
	/** The last value read, per channel: fields, so that reading allocates nothing. */
	left = 0;
	right = 0;
	/** Samples needed before and after a position, at most. */
	readonly reach: number;
	readonly #taps: number;
	readonly #table: Float32Array;

	constructor(sourceRate: number, outputRate: number) {
		const scale = Math.max(1, sourceRate / outputRate);
		this.#taps = 2 * Math.ceil((TAPS * scale) / 2);
		this.reach = this.#taps / 2;
		this.#table = polyphaseTable(this.#taps, CUTOFF / scale);
	}

	/** Reads at `position`, whose neighbours must lie within the timeline or its tail; the answer is in `left` and `right`. */
	read(timeline: PcmTimeline, position: number): void {
		const whole = Math.floor(position);
		const phase = (position - whole) * PHASES;
		const row = Math.floor(phase);
		const between = phase - row;
		const { left: leftSamples, right: rightSamples, mask } = timeline;
		const taps = this.#taps;
		const table = this.#table;
		const low = row * taps;
		const high = low + taps;
		const first = whole - this.reach + 1;
		let left = 0;
		let right = 0;
		for (let tap = 0; tap < taps; tap += 1) {
			const a = table[low + tap] as number;
			const weight = a + ((table[high + tap] as number) - a) * between;
			const place = (first + tap) & mask;
			left += weight * (leftSamples[place] as number);
			right += weight * (rightSamples[place] as number);
		}
		this.left = left;
		this.right = right;
	}
}

/** `PHASES + 1` rows of `taps` weights; row r is for a position r / PHASES after the middle tap. Each row sums to 1. */
function polyphaseTable(taps: number, cutoff: number): Float32Array {
	const table = new Float32Array((PHASES + 1) * taps);
	for (let row = 0; row <= PHASES; row += 1) {
		const weights = Array.from({ length: taps }, (_, tap) => {
			const distance = tap - (taps / 2 - 1) - row / PHASES;
			return sinc(2 * cutoff * distance) * kaiser(distance / (taps / 2));
		});
		const sum = weights.reduce((total, weight) => total + weight, 0);
		table.set(
			weights.map((weight) => weight / sum),
			row * taps,
		);
	}
	return table;
}

function sinc(x: number): number {
	return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Kaiser window over [−1, 1]. */
function kaiser(x: number): number {
	return Math.abs(x) >= 1 ? 0 : besselI0(KAISER_BETA * Math.sqrt(1 - x * x)) / besselI0(KAISER_BETA);
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
	let term = 1;
	let sum = 1;
	for (let k = 1; term > sum * 1e-12; k += 1) {
		term *= (x / (2 * k)) ** 2;
		sum += term;
	}
	return sum;
}
