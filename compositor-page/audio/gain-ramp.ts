/** Long enough that no step is heard, short enough that a mute feels immediate. */
const RAMP_SECONDS = 0.02;

/** A gain that moves to each new value in a straight line over 20 ms, so that changes make no zipper noise. */
export class GainRamp {
	readonly #rampSamples: number;
	#gain: number;
	#target: number;
	#step = 0;

	constructor(sampleRate: number, gain: number) {
		this.#rampSamples = Math.round(RAMP_SECONDS * sampleRate);
		this.#gain = gain;
		this.#target = gain;
	}

	set target(gain: number) {
		if (gain !== this.#target) {
			this.#target = gain;
			this.#step = (gain - this.#gain) / this.#rampSamples;
		}
	}

	/** Adds `frames` interleaved stereo samples of `from`, times the gain, to `to`. */
	addTo(to: Float32Array | Float64Array, from: Float32Array, frames: number): void {
		for (let frame = 0; frame < frames; frame += 1) {
			this.#advance();
			to[2 * frame] = (to[2 * frame] as number) + (from[2 * frame] as number) * this.#gain;
			to[2 * frame + 1] = (to[2 * frame + 1] as number) + (from[2 * frame + 1] as number) * this.#gain;
		}
	}

	#advance(): void {
		if (this.#step === 0) {
			return;
		}
		this.#gain += this.#step;
		if ((this.#step > 0 && this.#gain >= this.#target) || (this.#step < 0 && this.#gain <= this.#target)) {
			this.#gain = this.#target;
			this.#step = 0;
		}
	}
}
