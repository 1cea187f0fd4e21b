import { MS_PER_SECOND, msToUs, usToMs } from "../../media/units.ts";
import { ArrivalHistogram } from "./arrival-histogram.ts";
import { slewUs } from "./slew.ts";
import { TransitBaseline } from "./transit-baseline.ts";

export type Track = "audio" | "video";

/** A pause or a jump this long means that the source starts over. */
const DISCONTINUITY_US = msToUs(MS_PER_SECOND);
/** A step back up to here is a muxer's rounding or an early frame; beyond it the source restarted. */
const BACKWARD_TOLERANCE_US = 50_000;
/** A subscription starts with the group of pictures so far, all at once: until it is in, how late a frame is says nothing. */
const SETTLE_US = 300_000;
/** Delays enter the histogram as the longest of each such interval, so that a quantile counts intervals with a late frame. */
const HISTOGRAM_INTERVAL_US = 250_000;
/** If every frame for this long came too late to be played, the path has changed and slewing would take too long. */
const ALL_LATE_US = msToUs(MS_PER_SECOND);
/** No `advance` moves by more than this much time's worth, however long the caller slept. */
const MAX_ADVANCE_US = 200_000;

export interface PlayoutClockOptions {
	readonly floorMs?: number;
	/** What keeps it live: a longer delay is never kept, play-out jumps forward instead. */
	readonly ceilingMs?: number;
	/** The delay until the first measurements are in. */
	readonly startMs?: number;
	/** How long before its play-out a frame must be there, for decoding and for resampling to look ahead; negative where it is used later. */
	readonly leadMs?: Readonly<Record<Track, number>>;
}

export interface Arrival {
	readonly track: Track;
	/** On the source's clock. */
	readonly dtsUs: number;
	/** Local time at which the last byte was there. */
	readonly arrivalUs: number;
}

export interface PlayoutFigures {
	readonly delayMs: number;
	readonly targetDelayMs: number;
	/** The quantile of delay over the baseline, the worse track's. */
	readonly jitterMs: number;
	/** How much faster local time runs than the source's. */
	readonly driftPpm: number;
	readonly resets: number;
	/** Times the delay was over the ceiling and play-out jumped forward. */
	readonly jumps: number;
}

interface TrackState {
	histogram: ArrivalHistogram;
	dtsUs: number | undefined;
	longestUs: number;
}

/**
 * One person's mapping from source time to local play-out time, shared by sound and picture so that lips match.
 *
 * Play-out time = source time + offset. The offset heads for the smallest recent transit plus a target delay that covers
 * nearly all lateness of the worse track, and moves by at most 100 ms a second; only a start, a discontinuity and
 * the ceiling make it jump. Neither clock drift nor a new minimum is ever more than a new place to head for.
 */
export class PlayoutClock {
	readonly #floorUs: number;
	readonly #ceilingUs: number;
	readonly #startUs: number;
	readonly #leadUs: Record<Track, number>;
	readonly #baseline = new TransitBaseline();
	#tracks = newTracks();
	#settledAtUs: number | undefined;
	#intervalEndUs = 0;
	#lastArrivalUs: number | undefined;
	#advancedUs: number | undefined;
	#offsetUs = 0;
	#targetUs: number;
	#jitterUs = 0;
	#resets = 0;
	#jumps = 0;

	constructor(options: PlayoutClockOptions = {}) {
		this.#floorUs = msToUs(options.floorMs ?? 10);
		this.#ceilingUs = msToUs(options.ceilingMs ?? 500);
		this.#startUs = clamp(msToUs(options.startMs ?? 40), this.#floorUs, this.#ceilingUs);
		this.#leadUs = { audio: msToUs(options.leadMs?.audio ?? 4), video: msToUs(options.leadMs?.video ?? 8) };
		this.#targetUs = this.#startUs;
	}

	/** False until the first arrival: then `playoutUs` and `sourceUs` mean nothing yet. */
	get running(): boolean {
		return this.#settledAtUs !== undefined;
	}

	/** Goes up with each reset: what belongs to an earlier one has no place on this clock any more. */
	get epoch(): number {
		return this.#resets;
	}

	get figures(): PlayoutFigures {
		return {
			delayMs: usToMs(this.#delayUs()),
			targetDelayMs: usToMs(this.#targetUs),
			jitterMs: usToMs(this.#jitterUs),
			driftPpm: this.#baseline.driftPpm,
			resets: this.#resets,
			jumps: this.#jumps,
		};
	}

	/** Takes note of one frame, in order of arrival. "reset" when the source starts over with it. */
	onArrival(arrival: Arrival): "continuous" | "reset" {
		const { arrivalUs, dtsUs } = arrival;
		const reset = this.#isDiscontinuity(arrival);
		if (reset) {
			this.#reset();
		}
		this.#lastArrivalUs = arrivalUs;
		this.#tracks[arrival.track].dtsUs = dtsUs;
		const transitUs = arrivalUs - dtsUs;
		this.#baseline.add(transitUs, arrivalUs);
		if (this.#settledAtUs === undefined) {
			this.#settledAtUs = arrivalUs + SETTLE_US;
			this.#intervalEndUs = this.#settledAtUs + HISTOGRAM_INTERVAL_US;
		}
		if (arrivalUs < this.#settledAtUs) {
			this.#offsetUs = this.#baseline.us + this.#targetUs;
		} else {
			this.#measure(arrival.track, transitUs - this.#baseline.us, arrivalUs);
		}
		return reset ? "reset" : "continuous";
	}

	/** Sets how long before its play-out a frame of `track` must be there; negative where it is used later. */
	setLead(track: Track, leadMs: number): void {
		this.#leadUs[track] = msToUs(leadMs);
	}

	/** Moves the delay towards its target; call at least once per output step. */
	advance(nowUs: number): void {
		const elapsedUs = clamp(nowUs - (this.#advancedUs ?? nowUs), 0, MAX_ADVANCE_US);
		this.#advancedUs = Math.max(nowUs, this.#advancedUs ?? nowUs);
		if (!this.running) {
			return;
		}
		if (this.#delayUs() > this.#ceilingUs) {
			this.#offsetUs = this.#baseline.us + this.#targetUs;
			this.#jumps += 1;
			return;
		}
		this.#offsetUs += slewUs(this.#baseline.us + this.#targetUs - this.#offsetUs, elapsedUs);
	}

	/** The local time at which what the source stamped `ptsUs` is played. */
	playoutUs(ptsUs: number): number {
		return ptsUs + this.#offsetUs;
	}

	/** The source time that is played at `localUs`. */
	sourceUs(localUs: number): number {
		return localUs - this.#offsetUs;
	}

	#delayUs(): number {
		return this.running ? this.#offsetUs - this.#baseline.us : this.#targetUs;
	}

	#isDiscontinuity(arrival: Arrival): boolean {
		if (this.#lastArrivalUs === undefined || this.#settledAtUs === undefined) {
			return false;
		}
		const lastDtsUs = this.#tracks[arrival.track].dtsUs;
		const stepUs = lastDtsUs === undefined ? 0 : arrival.dtsUs - lastDtsUs;
		if (arrival.arrivalUs - this.#lastArrivalUs > DISCONTINUITY_US || stepUs > DISCONTINUITY_US) {
			return true;
		}
		if (stepUs < -BACKWARD_TOLERANCE_US) {
			return true;
		}
		const settledForUs = arrival.arrivalUs - this.#settledAtUs;
		return settledForUs > ALL_LATE_US && this.#baseline.latestUs > this.#offsetUs;
	}

	#reset(): void {
		this.#resets += 1;
		this.#baseline.reset();
		this.#settledAtUs = undefined;
		this.#tracks = newTracks();
		this.#targetUs = this.#startUs;
		this.#jitterUs = 0;
	}

	#measure(track: Track, delayUs: number, arrivalUs: number): void {
		const state = this.#tracks[track];
		state.longestUs = Math.max(state.longestUs, delayUs);
		if (arrivalUs < this.#intervalEndUs) {
			return;
		}
		this.#intervalEndUs = arrivalUs + HISTOGRAM_INTERVAL_US;
		this.#jitterUs = 0;
		let wantedUs = this.#floorUs;
		for (const name of ["audio", "video"] as const) {
			const each = this.#tracks[name];
			if (each.dtsUs === undefined) {
				continue;
			}
			each.histogram.add(each.longestUs);
			each.longestUs = 0;
			const quantileUs = each.histogram.quantileUs() ?? 0;
			this.#jitterUs = Math.max(this.#jitterUs, quantileUs);
			wantedUs = Math.max(wantedUs, quantileUs + this.#leadUs[name]);
		}
		this.#targetUs = Math.min(wantedUs, this.#ceilingUs);
	}
}

function newTracks(): Record<Track, TrackState> {
	const newTrack = () => ({ histogram: new ArrivalHistogram(), dtsUs: undefined, longestUs: 0 });
	return { audio: newTrack(), video: newTrack() };
}

function clamp(value: number, least: number, most: number): number {
	return Math.min(most, Math.max(least, value));
}
