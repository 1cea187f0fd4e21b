const LOOK_AHEAD_SECONDS = 0.0015;
const RELEASE_SECONDS = 0.08;
/** −1 dBFS: what the AAC encoder's own overshoot needs. */
const CEILING = 10 ** (-1 / 20);

/** Places in the limiter's state. */
const GAIN = 0;
const HELD_SUM = 1;

/**
 * A look-ahead limiter: what comes out never exceeds the ceiling, and what is below it passes unchanged, 1.5 ms later.
 *
 * The gain that each sample needs is held as a minimum over the look-ahead, let go exponentially, and averaged over the
 * look-ahead: the average has come all the way down when the peak comes out, and it moves without a corner.
 */
export class Limiter {
	/** By how many samples what comes out is later than what went in. */
	readonly latencySamples: number;
	readonly ceiling: number;
	readonly #release: number;
	readonly #delayed: Float32Array;
	readonly #held: Float64Array;
	/** Candidates for the minimum, rising, with the sample numbers at which they came: a monotonic queue in a ring. */
	readonly #minima: Float64Array;
	readonly #minimaAt: Float64Array;
	#first = 0;
	#last = 0;
	#sample = 0;
	/** The present gain and the sum of those held. In an array, since a field that takes another fraction with each sample makes an object of it each time. */
	readonly #state = new Float64Array(2);

	constructor(sampleRate: number, ceiling = CEILING) {
		const length = Math.round(LOOK_AHEAD_SECONDS * sampleRate);
		this.latencySamples = length;
		this.ceiling = ceiling;
		this.#release = 1 - Math.exp(-1 / (RELEASE_SECONDS * sampleRate));
		this.#delayed = new Float32Array(2 * length);
		this.#held = new Float64Array(length + 1).fill(1);
		this.#state[GAIN] = 1;
		this.#state[HELD_SUM] = length + 1;
		this.#minima = new Float64Array(length + 2);
		this.#minimaAt = new Float64Array(length + 2);
	}

	/** How much the sound is turned down at the moment: 1 is not at all. */
	get gain(): number {
		return this.#state[GAIN] as number;
	}

	/** Limits `frames` interleaved stereo samples of `from` into `to`. */
	process(from: Float32Array | Float64Array, frames: number, to: Float32Array): void {
		const delayed = this.#delayed;
		for (let frame = 0; frame < frames; frame += 1) {
			const left = finite(from[2 * frame] as number);
			const right = finite(from[2 * frame + 1] as number);
			const peak = Math.max(Math.abs(left), Math.abs(right));
			const gain = this.#smooth(this.#minimum(peak > this.ceiling ? this.ceiling / peak : 1));
			const place = 2 * (this.#sample % this.latencySamples);
			to[2 * frame] = this.#clamp((delayed[place] as number) * gain);
			to[2 * frame + 1] = this.#clamp((delayed[place + 1] as number) * gain);
			delayed[place] = left;
			delayed[place + 1] = right;
			this.#sample += 1;
		}
	}

	/** The least gain needed by this sample and those of the look-ahead before it. */
	#minimum(needed: number): number {
		const size = this.#minima.length;
		if (this.#first !== this.#last && (this.#minimaAt[this.#first] as number) < this.#sample - this.latencySamples) {
			this.#first = (this.#first + 1) % size;
		}
		while (this.#first !== this.#last && (this.#minima[(this.#last + size - 1) % size] as number) >= needed) {
			this.#last = (this.#last + size - 1) % size;
		}
		this.#minima[this.#last] = needed;
		this.#minimaAt[this.#last] = this.#sample;
		this.#last = (this.#last + 1) % size;
		return this.#minima[this.#first] as number;
	}

	/** Instant down, exponentially up, then the mean over the look-ahead. */
	#smooth(minimum: number): number {
		const held = this.#held;
		const state = this.#state;
		const before = state[GAIN] as number;
		const gain = Math.min(minimum, before + (1 - before) * this.#release);
		const place = this.#sample % held.length;
		state[GAIN] = gain;
		state[HELD_SUM] = (state[HELD_SUM] as number) + gain - (held[place] as number);
		held[place] = gain;
		if (place === 0) {
			state[HELD_SUM] = held.reduce((sum, each) => sum + each, 0); // Rounding must not add up over hours.
		}
		return (state[HELD_SUM] as number) / held.length;
	}

	/** Rounding to 32 bits can pass the ceiling by a hair. */
	#clamp(value: number): number {
		return Math.min(this.ceiling, Math.max(-this.ceiling, value));
	}
}

/** One broken sample from a decoder must not silence the program for ever. */
function finite(value: number): number {
	return Number.isFinite(value) ? value : 0;
}
