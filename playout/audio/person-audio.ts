import { US_PER_SECOND, usToMs } from "../../media/units.ts";
import { PcmTimeline } from "./pcm-timeline.ts";
import type { PlanarPcm } from "./planar-pcm.ts";
import { SincInterpolator } from "./sinc-interpolator.ts";
import { findSplice } from "./splice-search.ts";

export const MIX_RATE = 48_000;
/** Half a per cent is 9 cents of pitch: not heard, and enough for any clock's drift. */
const MAX_RATE_CHANGE = 0.005;
/** Time to be back at the clock by resampling alone. */
const RATE_SECONDS = 0.5;
/** The ratio itself moves softly, so that no change of pitch is heard as one. */
const RATE_SMOOTHING_SECONDS = 0.2;
/** Beyond this resampling is too slow for lips to match: whole pieces are left out or played twice. */
const STRETCH_ABOVE_US = 8_000;
/** Of the sound at most a tenth is left out or repeated, as fast as the play-out delay usually moves. */
const MAX_STRETCH = 0.1;
/** Sound this far behind is after a delay that comes down fast: then nearly a third may be left out, a little more than the clock's 250 ms a second. */
const CATCH_UP_ABOVE_US = 12_000;
const MAX_CATCH_UP = 0.3;
/** A piece holds at least one period of a voice: 3 ms is 333 Hz, 15 ms is 67 Hz. */
const SHORTEST_PIECE_SECONDS = 0.003;
const LONGEST_PIECE_SECONDS = 0.015;
/** A longer piece than needed is taken if it fits better, up to here. */
const PIECE_OVERSHOOT_SECONDS = 0.004;
const CROSSFADE_SECONDS = 0.01;
const SHORTEST_CROSSFADE_SECONDS = 0.003;
/** Beyond this the clock has jumped and the picture with it: sound jumps too. */
const SKIP_ABOVE_US = 80_000;
const FADE_IN_SECONDS = 0.005;
/** Sound missing for longer has stopped; that is silence and nothing concealed. */
const CONCEAL_AT_MOST_SECONDS = 1;

/** What is needed of a `PlayoutClock`. */
export interface SourceTimes {
	/** The source time that is played at `localUs`. */
	sourceUs(localUs: number): number;
}

export interface PersonAudioFigures {
	/** Sound heard minus what the clock says should be: positive when sound is late; `undefined` while none is heard. */
	readonly skewMs: number | undefined;
	/** Sound waiting, from where it is heard to the newest sample. */
	readonly bufferedMs: number;
	/** Samples at 48 kHz made up because none had arrived, and for gaps of the source's own. */
	readonly concealedSamples: number;
	/** Samples at 48 kHz left out and repeated by time scaling. */
	readonly leftOutSamples: number;
	readonly repeatedSamples: number;
	/** Jumps to where the clock was. */
	readonly skips: number;
	/** Resampling over the nominal ratio now, in parts per million. */
	readonly ratePpm: number;
}

/**
 * One person's sound: takes decoded blocks in source time and gives exactly the samples of each local interval at 48 kHz.
 *
 * It follows the person's play-out clock: by resampling within ±0.5 % for drift, by leaving out or repeating pitch-matched
 * pieces (at most 100 ms a second, 300 to catch up) while the delay moves, by a crossfaded jump when the clock jumped. Where nothing has
 * arrived the last sound is reflected and faded in 10 ms, and what comes after is faded in.
 */
export class PersonAudio {
	#timeline: PcmTimeline | undefined;
	#interpolator: SincInterpolator | undefined;
	/** Where the next output sample is read, in source samples; may lie where there is no sound. */
	#position = 0;
	#rate = 0;
	/** A crossfade under way, to `#splice` source samples further on. */
	#splice = 0;
	#spliceDone = 0;
	#spliceLength = 0;
	/** Output samples left out or repeated that have yet to be made up for by as much sound left whole as the limits say. */
	#pieceDebt = 0;
	/** 0 in silence, rising to 1 as sound fades in. */
	#gain = 0;
	/** What the last sample was, and how much of it still has to fade after a break. */
	#lastLeft = 0;
	#lastRight = 0;
	#breakLeft = 0;
	#breakRight = 0;
	#breakGain = 0;
	/** The last block ended in made-up sound, after the end that was seen then. */
	#endedInTail = true;
	#endSeen = 0;
	#rejoin = true;
	#missingInARow = Number.POSITIVE_INFINITY;
	#skewUs: number | undefined;
	#concealed = 0;
	#leftOut = 0;
	#repeated = 0;
	#skips = 0;

	get figures(): PersonAudioFigures {
		const timeline = this.#timeline;
		const from = Math.max(this.#position, timeline?.start ?? 0);
		const waiting = timeline === undefined ? 0 : (timeline.end - from) / timeline.sampleRate;
		return {
			skewMs: this.#skewUs === undefined ? undefined : usToMs(this.#skewUs),
			bufferedMs: Math.max(0, waiting * 1_000),
			concealedSamples: Math.round(this.#concealed),
			leftOutSamples: Math.round(this.#leftOut),
			repeatedSamples: Math.round(this.#repeated),
			skips: this.#skips,
			ratePpm: this.#rate * 1e6,
		};
	}

	/**
	 * Adds a decoded block, in order, whose first sample is at `ptsUs` of the source's time. Copies what it needs.
	 *
	 * @param isOther of another decoder than the block before: it is faded over to
	 */
	push(pcm: PlanarPcm, ptsUs: number, isOther = false): void {
		if (pcm.frames === 0) {
			return;
		}
		if (this.#timeline === undefined || this.#timeline.sampleRate !== pcm.sampleRate) {
			this.#timeline = new PcmTimeline(pcm.sampleRate);
			this.#interpolator = new SincInterpolator(pcm.sampleRate, MIX_RATE);
		}
		const before = this.#timeline.end;
		const continuity = this.#timeline.write(pcm, ptsUs, isOther);
		if (continuity === "restart") {
			this.#rejoin = true;
		} else if (continuity === "gap") {
			// What was already played as missing is counted there.
			const unplayed = this.#timeline.end - pcm.frames - Math.max(before, this.#position);
			this.#concealed += (Math.max(0, unplayed) * MIX_RATE) / pcm.sampleRate;
		}
	}

	/**
	 * Fills `out` (interleaved stereo, 2 × `frames` long at least) with the sound of the `frames` samples at 48 kHz that
	 * start at `localStartUs`, and returns it. Intervals follow each other; a hole between two counts as the clock's jump.
	 */
	pull(localStartUs: number, frames: number, clock: SourceTimes, out: Float32Array): Float32Array {
		const timeline = this.#timeline;
		const interpolator = this.#interpolator;
		if (timeline === undefined || interpolator === undefined) {
			out.fill(0, 0, 2 * frames);
			return out;
		}
		const wanted = timeline.indexAt(clock.sourceUs(localStartUs));
		this.#follow(timeline, interpolator, wanted, frames);
		this.#render(timeline, interpolator, frames, out);
		const ahead = wanted + (frames * timeline.sampleRate) / MIX_RATE - this.#heardPosition();
		this.#skewUs = this.#gain === 0 ? undefined : (ahead * US_PER_SECOND) / timeline.sampleRate;
		return out;
	}

	#heardPosition(): number {
		const done = this.#splice === 0 ? 0 : this.#spliceDone / this.#spliceLength;
		return this.#position + this.#splice * done;
	}

	/** Decides how the next block heads for the position that the clock wants. */
	#follow(timeline: PcmTimeline, interpolator: SincInterpolator, wanted: number, frames: number): void {
		const tailReplaced = this.#endedInTail && this.#endSeen !== timeline.end;
		if (this.#rejoin || this.#gain === 0 || tailReplaced) {
			this.#startAt(wanted);
			return;
		}
		const error = wanted - this.#position - this.#splice;
		const errorUs = (error * US_PER_SECOND) / timeline.sampleRate;
		if (Math.abs(errorUs) > SKIP_ABOVE_US) {
			this.#skips += 1;
			this.#skipBy(timeline, interpolator, Math.round(wanted - this.#position));
			return;
		}
		// A piece falls due within a block, and is taken at the next one's start: what is over counts for the piece after it.
		const allowed = frames * mostStretch(errorUs);
		this.#pieceDebt = Math.max(-allowed, this.#pieceDebt - allowed);
		if (Math.abs(errorUs) > STRETCH_ABOVE_US && this.#splice === 0 && this.#pieceDebt <= 0) {
			this.#takePiece(timeline, interpolator, error);
		}
		const target = clampMagnitude(errorUs / US_PER_SECOND / RATE_SECONDS, MAX_RATE_CHANGE);
		const seconds = frames / MIX_RATE;
		this.#rate += (target - this.#rate) * (1 - Math.exp(-seconds / RATE_SMOOTHING_SECONDS));
	}

	/** Goes on at `position` with nothing to crossfade from: what was heard last fades, what comes fades in. */
	#startAt(position: number): void {
		this.#breakLeft = this.#lastLeft;
		this.#breakRight = this.#lastRight;
		this.#breakGain = 1;
		this.#position = position;
		this.#splice = 0;
		this.#rate = 0;
		this.#gain = 0;
		this.#rejoin = false;
	}

	#skipBy(timeline: PcmTimeline, interpolator: SincInterpolator, samples: number): void {
		const target = this.#position + samples;
		const length = Math.round(CROSSFADE_SECONDS * MIX_RATE);
		const soundThere = target - interpolator.reach >= timeline.start && target < timeline.end;
		if (!soundThere || this.#splice !== 0) {
			this.#startAt(target);
			return;
		}
		this.#beginSplice(samples, length);
	}

	/** Leaves out (positive `error`) or repeats a pitch-matched piece, if enough sound is there to do so. */
	#takePiece(timeline: PcmTimeline, interpolator: SincInterpolator, error: number): void {
		const { sampleRate } = timeline;
		const from = Math.floor(this.#position);
		const ahead = timeline.end - interpolator.reach - from;
		const behind = from - interpolator.reach - timeline.start;
		const least = Math.round(SHORTEST_PIECE_SECONDS * sampleRate);
		const wish = Math.min(LONGEST_PIECE_SECONDS * sampleRate, Math.abs(error) + PIECE_OVERSHOOT_SECONDS * sampleRate);
		const length = Math.round(Math.min(CROSSFADE_SECONDS * sampleRate, error > 0 ? ahead - least : ahead));
		const most = Math.floor(Math.min(wish, error > 0 ? ahead - length : behind));
		if (length < SHORTEST_CROSSFADE_SECONDS * sampleRate || most < least) {
			return;
		}
		const sign = Math.sign(error);
		const piece = findSplice(timeline, { from, length, least: least * sign, most: most * sign });
		const outputSamples = (Math.abs(piece) * MIX_RATE) / sampleRate;
		this.#pieceDebt += outputSamples;
		this.#leftOut += piece > 0 ? outputSamples : 0;
		this.#repeated += piece < 0 ? outputSamples : 0;
		this.#beginSplice(piece, Math.floor((length * MIX_RATE) / sampleRate));
	}

	#beginSplice(samples: number, outputLength: number): void {
		this.#splice = samples;
		this.#spliceDone = 0;
		this.#spliceLength = outputLength;
	}

	#render(timeline: PcmTimeline, interpolator: SincInterpolator, frames: number, out: Float32Array): void {
		const step = (timeline.sampleRate / MIX_RATE) * (1 + this.#rate);
		const fadeStep = 1 / (FADE_IN_SECONDS * MIX_RATE);
		const earliest = timeline.start + interpolator.reach;
		const latest = timeline.tailEnd - interpolator.reach;
		for (let frame = 0; frame < frames; frame += 1) {
			let left = 0;
			let right = 0;
			let heard = this.#position >= earliest && this.#position < latest;
			if (heard) {
				interpolator.read(timeline, this.#position);
				({ left, right } = interpolator);
			}
			if (this.#splice !== 0) {
				const target = this.#position + this.#splice;
				const mix = (this.#spliceDone + 1) / (this.#spliceLength + 1);
				left *= 1 - mix;
				right *= 1 - mix;
				if (target >= earliest && target < latest) {
					interpolator.read(timeline, target);
					left += interpolator.left * mix;
					right += interpolator.right * mix;
					heard = true;
				}
				this.#spliceDone += 1;
				if (this.#spliceDone >= this.#spliceLength) {
					this.#position = target;
					this.#splice = 0;
				}
			}
			this.#gain = heard ? Math.min(1, this.#gain + fadeStep) : 0;
			this.#count(this.#position < timeline.end);
			this.#breakGain = Math.max(0, this.#breakGain - fadeStep);
			this.#lastLeft = left * this.#gain + this.#breakLeft * this.#breakGain;
			this.#lastRight = right * this.#gain + this.#breakRight * this.#breakGain;
			out[2 * frame] = this.#lastLeft;
			out[2 * frame + 1] = this.#lastRight;
			this.#position += step;
		}
		this.#endedInTail = this.#position >= timeline.end;
		this.#endSeen = timeline.end;
	}

	#count(real: boolean): void {
		if (real) {
			this.#missingInARow = this.#gain > 0 ? 0 : this.#missingInARow;
			return;
		}
		this.#missingInARow += 1;
		if (this.#missingInARow <= CONCEAL_AT_MOST_SECONDS * MIX_RATE) {
			this.#concealed += 1;
		}
	}
}

/** The share of the sound that may be left out or repeated when it is `errorUs` behind (negative: ahead). */
function mostStretch(errorUs: number): number {
	return errorUs > CATCH_UP_ABOVE_US ? MAX_CATCH_UP : MAX_STRETCH;
}

function clampMagnitude(value: number, most: number): number {
	return Math.min(most, Math.max(-most, value));
}
