import { MS_PER_SECOND, msToUs, samplesToUs, US_PER_SECOND } from "../../media/units.ts";
import type { PlanarPcm } from "./planar-pcm.ts";
import { downmixMatrix } from "./stereo-downmix.ts";

/** FLV counts milliseconds and some muxers count from two clocks: within this, samples simply follow each other. */
const CONTINUITY_TOLERANCE_US = 10_000;
/** How far the timeline is moved towards each block's own time: rounding averages out, a drifting sound card is followed. */
const ANCHOR_GAIN = 0.02;
/** A longer gap, or a step back by more, is a source that starts over. */
const LONGEST_GAP_US = msToUs(MS_PER_SECOND);
const LONGEST_OVERLAP_US = 50_000;
/** Sound that stops is followed by its own reflection while it fades: no click, and no need to look ahead. */
const TAIL_SECONDS = 0.01;
/** Silence after the tail, for an interpolator to look ahead into; enough for sources of up to 192 kHz. */
const TAIL_PADDING = 64;
const FADE_IN_SECONDS = 0.005;
/** The play-out ceiling and then some, for history to stretch and for a late reader. */
const CAPACITY_SECONDS = 2;

/** How a block followed on what was there. */
export type Continuity = "continuous" | "gap" | "overlap" | "restart";

/**
 * Stereo sound of one source by sample index, and where each index lies in source time.
 *
 * Samples from `start` to `end` are real (or the silence of a gap in the source); from `end` to `tailEnd` lies what is to be
 * heard if nothing more comes. All of it is read at `index & mask`.
 */
export class PcmTimeline {
	readonly sampleRate: number;
	readonly left: Float32Array;
	readonly right: Float32Array;
	readonly mask: number;
	readonly #tailFade: number;
	readonly #tailLength: number;
	readonly #fadeLength: number;
	#start = 0;
	#end = 0;
	#anchorUs = 0;
	#empty = true;

	constructor(sampleRate: number) {
		const capacity = 2 ** Math.ceil(Math.log2(sampleRate * CAPACITY_SECONDS));
		this.sampleRate = sampleRate;
		this.left = new Float32Array(capacity);
		this.right = new Float32Array(capacity);
		this.mask = capacity - 1;
		this.#tailFade = Math.round(sampleRate * TAIL_SECONDS);
		this.#tailLength = this.#tailFade + TAIL_PADDING;
		this.#fadeLength = Math.round(sampleRate * FADE_IN_SECONDS);
	}

	get start(): number {
		return this.#start;
	}

	get end(): number {
		return this.#end;
	}

	get tailEnd(): number {
		return this.#empty ? this.#end : this.#end + this.#tailLength;
	}

	/** The index, with its fraction, at which the sound of source time `ptsUs` lies. */
	indexAt(ptsUs: number): number {
		return ((ptsUs - this.#anchorUs) * this.sampleRate) / US_PER_SECOND;
	}

	/** Source time of an index. */
	ptsAt(index: number): number {
		return this.#anchorUs + samplesToUs(index, this.sampleRate);
	}

	/**
	 * Adds one block whose first sample is at `ptsUs`. Blocks come in order and at this timeline's rate.
	 *
	 * @param isOther of another decoder than the block before: the two waves do not join
	 */
	write(pcm: PlanarPcm, ptsUs: number, isOther = false): Continuity {
		if (pcm.sampleRate !== this.sampleRate) {
			throw new RangeError(`audio: expected sound at ${this.sampleRate} Hz, got ${pcm.sampleRate} Hz`);
		}
		const errorUs = ptsUs - this.ptsAt(this.#end);
		if (this.#empty || errorUs > LONGEST_GAP_US || errorUs < -LONGEST_OVERLAP_US) {
			this.#restart(ptsUs);
			this.#append(pcm, 0);
			return "restart";
		}
		if (Math.abs(errorUs) <= CONTINUITY_TOLERANCE_US) {
			this.#anchorUs += errorUs * ANCHOR_GAIN;
			if (isOther) {
				this.#appendFading(pcm, 0);
			} else {
				this.#append(pcm, 0);
			}
			return "continuous";
		}
		const samples = Math.round(this.indexAt(ptsUs)) - this.#end;
		if (samples > 0) {
			this.#insertGap(samples);
			this.#appendFading(pcm, 0);
			return "gap";
		}
		this.#appendFading(pcm, Math.min(pcm.frames, -samples));
		return "overlap";
	}

	#restart(ptsUs: number): void {
		this.#start = this.#end;
		this.#anchorUs = ptsUs - samplesToUs(this.#end, this.sampleRate);
		this.#empty = false;
	}

	#insertGap(samples: number): void {
		for (let index = this.tailEnd; index < this.#end + samples + this.#tailLength; index += 1) {
			this.left[index & this.mask] = 0;
			this.right[index & this.mask] = 0;
		}
		this.#end += samples;
	}

	/** Appends with a crossfade from the tail that is there, for sound that does not follow on what was before. */
	#appendFading(pcm: PlanarPcm, skip: number): void {
		const at = this.#end;
		const length = Math.min(this.#fadeLength, pcm.frames - skip);
		const tailLeft = new Float32Array(length);
		const tailRight = new Float32Array(length);
		for (let index = 0; index < length; index += 1) {
			tailLeft[index] = this.left[(at + index) & this.mask] ?? 0;
			tailRight[index] = this.right[(at + index) & this.mask] ?? 0;
		}
		this.#append(pcm, skip);
		for (let index = 0; index < length; index += 1) {
			const place = (at + index) & this.mask;
			const gain = (index + 1) / (length + 1);
			this.left[place] = (this.left[place] ?? 0) * gain + (tailLeft[index] ?? 0) * (1 - gain);
			this.right[place] = (this.right[place] ?? 0) * gain + (tailRight[index] ?? 0) * (1 - gain);
		}
		this.#writeTail();
	}

	#append(pcm: PlanarPcm, skip: number): void {
		const first = Math.max(skip, pcm.frames - this.mask); // A block longer than the ring leaves its end.
		this.#end += first - skip;
		const count = pcm.frames - first;
		for (let index = 0; index < count; index += 1) {
			const place = (this.#end + index) & this.mask;
			this.left[place] = 0;
			this.right[place] = 0;
		}
		downmixMatrix(pcm.channels.length).forEach(([toLeft, toRight], channel) => {
			const samples = pcm.channels[channel];
			for (let index = 0; samples !== undefined && index < count; index += 1) {
				const place = (this.#end + index) & this.mask;
				const sample = samples[first + index] ?? 0;
				this.left[place] = (this.left[place] ?? 0) + sample * toLeft;
				this.right[place] = (this.right[place] ?? 0) + sample * toRight;
			}
		});
		this.#end += count;
		this.#writeTail();
		this.#start = Math.max(this.#start, this.tailEnd - this.left.length);
	}

	#writeTail(): void {
		for (let index = 0; index < this.#tailLength; index += 1) {
			const from = this.#end - 1 - index;
			const gain = from < this.#start ? 0 : Math.max(0, 1 - (index + 1) / this.#tailFade);
			const place = (this.#end + index) & this.mask;
			this.left[place] = (this.left[from & this.mask] ?? 0) * gain;
			this.right[place] = (this.right[from & this.mask] ?? 0) * gain;
		}
	}
}
