import { US_PER_SECOND } from "../../media/units.ts";
import { MIX_RATE, type PersonAudio, type SourceTimes } from "../../playout/audio/person-audio.ts";
import type { ScenePerson } from "../../worker/protocol/control-messages.ts";
import { Mixer, type MixerInput } from "../audio/mixer.ts";

/** Longest step mixed at once; a longer stretch is mixed in several. */
const STEP_SAMPLES = 960;

/** What is needed of a `Person`. */
export interface Speaker {
	readonly id: string;
	readonly audio: Pick<PersonAudio, "pull">;
	readonly clock: SourceTimes;
}

export interface SoundTrackOptions {
	/** Local time of program time 0. */
	readonly startUs: number;
	/** Interleaved stereo at 48 kHz, `frames` long; valid until the call returns. */
	onSamples(samples: Float32Array, frames: number): void;
}

/** The program's sound, counted in samples from program time 0: never a gap, never a sample twice, whatever the machine does. */
export class SoundTrack {
	readonly #options: SoundTrackOptions;
	readonly #mixer = new Mixer(MIX_RATE);
	readonly #buffers = new Map<string, Float32Array>();
	readonly #mixed = new Float32Array(2 * STEP_SAMPLES);
	#samples = 0;

	constructor(options: SoundTrackOptions) {
		this.#options = options;
	}

	/** By how much the mixer delays the sound. */
	get latencySamples(): number {
		return this.#mixer.latencySamples;
	}

	applyLevels(people: readonly ScenePerson[]): void {
		for (const person of people) {
			this.#mixer.setGain(person.id, person.gain);
		}
	}

	/** Mixes all that is due before `localUs`. */
	mixUntil(localUs: number, people: readonly Speaker[]): void {
		const total = Math.floor(((localUs - this.#options.startUs) * MIX_RATE) / US_PER_SECOND);
		while (this.#samples < total) {
			this.#mixStep(Math.min(STEP_SAMPLES, total - this.#samples), people);
		}
	}

	#mixStep(frames: number, people: readonly Speaker[]): void {
		const stepUs = this.#options.startUs + (this.#samples * US_PER_SECOND) / MIX_RATE;
		const inputs: MixerInput[] = people.map(({ id, audio, clock }) => {
			const samples = audio.pull(stepUs, frames, clock, this.#bufferOf(id));
			return { id, samples };
		});
		this.#mixer.mix(inputs, frames, this.#mixed);
		this.#samples += frames;
		this.#options.onSamples(this.#mixed.subarray(0, 2 * frames), frames);
	}

	#bufferOf(id: string): Float32Array {
		const known = this.#buffers.get(id);
		if (known !== undefined) {
			return known;
		}
		const buffer = new Float32Array(2 * STEP_SAMPLES);
		this.#buffers.set(id, buffer);
		return buffer;
	}
}
