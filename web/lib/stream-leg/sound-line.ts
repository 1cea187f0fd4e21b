import type { EncodedAudioFrame } from "../../../media/encoded-frame.ts";
import { msToUs, samplesToUs, US_PER_SECOND } from "../../../media/units.ts";
import { MIX_RATE, PersonAudio } from "../../../playout/audio/person-audio.ts";
import type { PlanarPcm } from "../../../playout/audio/planar-pcm.ts";
import { CaptureClock } from "./capture-clock.ts";
import { SampleTimes } from "./sample-times.ts";

/** Sound is taken in such pieces. */
const STEP_SAMPLES = 240;
/** Resampling looks so far ahead of what it gives. */
const LOOK_AHEAD_US = msToUs(1);
/** Sound of a source that gives some is waited for so long; what is missing then is concealed, and later silence. */
const WAIT_US = msToUs(120);
/** Without a source there is nothing to wait for: silence as old as sound usually is. */
const SILENCE_BEHIND_US = msToUs(20);
/** Woken, sound begins this far back: what is older than the next key frame costs nothing, and the encoder needs a frame or two to begin. */
const BEGIN_BEHIND_US = msToUs(60);

/** Sound that is captured at the time it is for. */
const CAPTURE_TIME = { sourceUs: (localUs: number) => localUs };

/** What is needed of an encoder of 48 kHz stereo; its frames' times count from the first sample. */
export interface SoundEncoder {
	readonly samplesIn: number;
	push(samples: Float32Array, frames: number): void;
	close(): void;
}

export interface SoundLineOptions {
	/** Capture time of timestamp 0. */
	readonly baseUs: number;
	/** On the capture clock. */
	nowUs(): number;
	/** Encoded, with its time after `baseUs`. */
	onFrame(frame: EncodedAudioFrame): void;
}

/**
 * Captured sound → encoded sound, counted in samples of the capture clock: what is missing becomes silence, a sound card that drifts is followed by
 * resampling, any rate becomes 48 kHz. Nothing is encoded while it is not `sending`; the encoder stays as it is.
 */
export class SoundLine {
	readonly #options: SoundLineOptions;
	readonly #heard = new PersonAudio();
	readonly #times = new SampleTimes(MIX_RATE);
	readonly #step = new Float32Array(2 * STEP_SAMPLES);
	#encoder: SoundEncoder | undefined;
	#config: Uint8Array | undefined;
	#clock = new CaptureClock();
	#flows = false;
	/** The next block is the first of its source. */
	#isOther = false;
	/** Where captured sound ends. */
	#endUs = Number.NEGATIVE_INFINITY;
	/** Where sending began, and how many samples have been taken since; `undefined` while nothing is sent. */
	#from: { readonly captureUs: number; samples: number } | undefined;

	constructor(options: SoundLineOptions) {
		this.#options = options;
	}

	/** Owns it, and closes the one before. */
	setEncoder(encoder: SoundEncoder): void {
		this.#encoder?.close();
		this.#encoder = encoder;
		this.#config = undefined;
		if (this.#from !== undefined) {
			this.setSending(true);
		}
	}

	/** What the encoder puts out; give it every frame. */
	takeEncoded(frame: EncodedAudioFrame): void {
		this.#config = frame.config ?? this.#config;
		const captureUs = this.#from === undefined ? undefined : this.#times.captureUs(frame.ptsUs);
		if (captureUs === undefined) {
			return;
		}
		const { config: _, ...same } = frame;
		const ptsUs = captureUs - this.#options.baseUs;
		const config = this.#config === undefined ? {} : { config: this.#config };
		this.#options.onFrame({ ...same, ...config, ptsUs, dtsUs: ptsUs });
	}

	/** Another source takes the place of the one before. */
	begin(): void {
		this.#clock = new CaptureClock();
		this.#isOther = true;
		this.#flows = true;
	}

	setFlows(flows: boolean): void {
		this.#flows = flows;
	}

	/** Takes a captured block, whose time is its source's. Copies it. */
	push(pcm: PlanarPcm, timestampUs: number): void {
		if (!this.#flows) {
			return;
		}
		// A block is there when its last sample is: that one's delay is what counts.
		const durationUs = samplesToUs(pcm.frames, pcm.sampleRate);
		const endUs = this.#clock.captureUs(timestampUs + durationUs, this.#options.nowUs());
		this.#heard.push(pcm, endUs - durationUs, this.#isOther);
		this.#isOther = false;
		this.#endUs = endUs;
	}

	/** Begins with the sound of now, or stops. */
	setSending(sending: boolean): void {
		this.#from = undefined;
		if (sending && this.#encoder !== undefined) {
			const captureUs = this.#options.nowUs() - BEGIN_BEHIND_US;
			this.#from = { captureUs, samples: 0 };
			this.#times.begin(this.#encoder.samplesIn, captureUs);
		}
	}

	/** Call some hundred times a second: encodes all sound there is. */
	tick(nowUs: number): void {
		const from = this.#from;
		const encoder = this.#encoder;
		if (from === undefined || encoder === undefined) {
			return;
		}
		const latestUs = nowUs - (this.#flows ? WAIT_US : SILENCE_BEHIND_US);
		const untilUs = Math.max(latestUs, Math.min(nowUs, this.#endUs - LOOK_AHEAD_US));
		const samples = Math.floor(((untilUs - from.captureUs) * MIX_RATE) / US_PER_SECOND);
		// What goes in may be what an encoder fails at, which closes all this.
		while (from.samples + STEP_SAMPLES <= samples && this.#encoder === encoder && this.#from === from) {
			const stepUs = from.captureUs + samplesToUs(from.samples, MIX_RATE);
			this.#heard.pull(stepUs, STEP_SAMPLES, CAPTURE_TIME, this.#step);
			from.samples += STEP_SAMPLES;
			encoder.push(this.#step, STEP_SAMPLES);
		}
	}

	close(): void {
		this.#from = undefined;
		this.#encoder?.close();
		this.#encoder = undefined;
	}
}
