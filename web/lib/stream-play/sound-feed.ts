import { msToUs, samplesToUs, usToSamples } from "../../../media/units.ts";
import { MIX_RATE } from "../../../playout/audio/person-audio.ts";
import { CaptureClock } from "../stream-leg/capture-clock.ts";
import { SoundLead } from "./sound-lead.ts";
import type { SoundHeard, SoundToHear } from "./worker-messages.ts";

const CHANNELS = 2;
/** Sound is made in pieces of at most this. */
const STEP_SAMPLES = 480;
/** What the device may have skipped and still be the one that played before. */
const LONGEST_LEAP_US = msToUs(500);

export interface SoundFeedOptions {
	/** Fills with the sound to be heard from local time `localUs` on: interleaved stereo, 2 × `frames` long at least. */
	pull(localUs: number, frames: number, out: Float32Array): void;
	/** How long before it is heard sound is made, from now on. */
	onLead(leadMs: number): void;
	send(sound: SoundToHear): void;
}

/**
 * Keeps an audio device in sound just ahead of its need. Which local time a sample of the device's is played at is measured, so that a device whose clock
 * drifts is followed.
 */
export class SoundFeed {
	readonly #options: SoundFeedOptions;
	readonly #lead = new SoundLead();
	readonly #buffer = new Float32Array(STEP_SAMPLES * CHANNELS);
	#clock = new CaptureClock();
	/** Next sample to make. */
	#next: number | undefined;

	constructor(options: SoundFeedOptions) {
		this.#options = options;
		options.onLead(this.#lead.ms);
	}

	/** @param nowUs local time at which the word was here */
	take({ frame, missing }: SoundHeard, nowUs: number): void {
		if (this.#lead.note(missing, nowUs)) {
			this.#options.onLead(this.#lead.ms);
		}
		const frameUs = samplesToUs(frame, MIX_RATE);
		const localUs = this.#clock.captureUs(frameUs, nowUs);
		const until = frame + usToSamples(msToUs(this.#lead.ms), MIX_RATE);
		if (this.#next === undefined || this.#next < frame || samplesToUs(this.#next - until, MIX_RATE) > LONGEST_LEAP_US) {
			this.#next = frame;
		}
		while (this.#next < until) {
			const frames = Math.min(STEP_SAMPLES, until - this.#next);
			this.#options.pull(localUs + samplesToUs(this.#next - frame, MIX_RATE), frames, this.#buffer);
			this.#options.send({ firstFrame: this.#next, samples: this.#buffer.slice(0, frames * CHANNELS) });
			this.#next += frames;
		}
	}
}
