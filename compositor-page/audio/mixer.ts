import { GainRamp } from "./gain-ramp.ts";
import { Limiter } from "./limiter.ts";

/** +12 dB: more is a slip of a slider. */
export const MAX_GAIN = 4;

/** One person's interleaved stereo samples for the step that is mixed. */
export interface MixerInput {
	readonly id: string;
	readonly samples: Float32Array;
}

interface Level {
	readonly ramp: GainRamp;
	gain: number;
	muted: boolean;
}

/**
 * Sums people's sound, each with a gain and a mute, and keeps the sum below −1 dBFS.
 *
 * A person never seen before is at gain 1 at once; changes are ramped over 20 ms. The limiter delays by `latencySamples`.
 */
export class Mixer {
	readonly #sampleRate: number;
	readonly #limiter: Limiter;
	readonly #levels = new Map<string, Level>();
	#sum = new Float64Array(0);

	constructor(sampleRate: number) {
		this.#sampleRate = sampleRate;
		this.#limiter = new Limiter(sampleRate);
	}

	/** By how many samples the program is later than what was mixed. */
	get latencySamples(): number {
		return this.#limiter.latencySamples;
	}

	/** 0 to 4; 1 leaves as is. Throws for anything else. */
	setGain(id: string, gain: number): void {
		if (!(gain >= 0 && gain <= MAX_GAIN)) {
			throw new RangeError(`audio: expected a gain from 0 to ${MAX_GAIN}, got ${gain}`);
		}
		const level = this.#level(id);
		level.gain = gain;
		level.ramp.target = level.muted ? 0 : gain;
	}

	setMuted(id: string, muted: boolean): void {
		const level = this.#level(id);
		level.muted = muted;
		level.ramp.target = muted ? 0 : level.gain;
	}

	/** Forgets a person who left: their next coming is at gain 1. */
	remove(id: string): void {
		this.#levels.delete(id);
	}

	/** Mixes `frames` samples of every input into `out` (interleaved stereo) and returns it. */
	mix(inputs: readonly MixerInput[], frames: number, out: Float32Array): Float32Array {
		if (this.#sum.length < 2 * frames) {
			this.#sum = new Float64Array(2 * frames);
		}
		this.#sum.fill(0, 0, 2 * frames);
		for (const { id, samples } of inputs) {
			this.#level(id).ramp.addTo(this.#sum, samples, frames);
		}
		this.#limiter.process(this.#sum, frames, out);
		return out;
	}

	#level(id: string): Level {
		const known = this.#levels.get(id);
		if (known !== undefined) {
			return known;
		}
		const level = { ramp: new GainRamp(this.#sampleRate, 1), gain: 1, muted: false };
		this.#levels.set(id, level);
		return level;
	}
}
