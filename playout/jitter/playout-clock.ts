import { MS_PER_SECOND, msToUs, usToMs } from "../../media/units.ts";
import { ArrivalHistogram } from "./arrival-histogram.ts";
import { LateRun } from "./late-run.ts";
import { slewUs } from "./slew.ts";
import { TransitBaseline } from "./transit-baseline.ts";

export type Track = "audio" | "video";

/** A source whose time leaps ahead by more than this starts over. */
const LEAP_US = msToUs(MS_PER_SECOND);
/** After a silence this long what was known of the clocks is too old: at 200 ppm they are 6 ms further apart. */
const LONGEST_SILENCE_US = msToUs(30_000);
/** A step back up to here is a muxer's rounding or an early frame; beyond it the source restarted. */
const BACKWARD_TOLERANCE_US = 50_000;
/** A subscription starts with the group of pictures so far, all at once: until it is in, how late a frame is says nothing. */
const SETTLE_US = 300_000;
/** As long as transit falls by this in each such time, more of it is still coming. */
const SETTLING_FALL_US = 100_000;
/** Delays enter the histogram as the longest of each such interval, so that a quantile counts intervals with a late frame. */
const HISTOGRAM_INTERVAL_US = 250_000;
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
	/** From a start until what comes is live: the delay still jumps. */
	readonly settling: boolean;
	/** Times the delay was over the ceiling and play-out jumped forward. */
	readonly jumps: number;
}

interface TrackState {
	readonly histogram: ArrivalHistogram;
	dtsUs: number | undefined;
	longestUs: number;
}

/**
 * One person's mapping from source time to local play-out time, shared by sound and picture so that lips match.
 *
 * Play-out time = source time + offset. The offset heads for the smallest recent transit plus a target delay that covers
 * nearly all lateness of the worse track. It grows by at most 100 ms a second and shrinks by at most 250; only a start, a
 * discontinuity and the ceiling make it jump. Neither clock drift nor a new minimum is ever more than a new place to head for.
 *
 * A stall, of whatever length and kind, is nothing to wait for: the mapping stays, what comes too late for it is dropped, and what is
 * live again is on time. Its burst is one event and not many, and beyond the ceiling none: no delay that is kept would have covered it.
 * Only where all stays late without coming closer has the path moved, and the mapping with it; what is known of its jitter stays.
 */
export class PlayoutClock {
	readonly #floorUs: number;
	readonly #ceilingUs: number;
	readonly #startUs: number;
	readonly #leadUs: Record<Track, number>;
	readonly #baseline = new TransitBaseline();
	readonly #tracks = newTracks();
	#settling = false;
	/** When settling looks again whether what comes is live; `undefined` before the first arrival. */
	#settlesAtUs: number | undefined;
	/** The baseline when settling last looked. */
	#settlingUs = Number.POSITIVE_INFINITY;
	#intervalEndUs = 0;
	#lateRun: LateRun | undefined;
	/** The frames of this run of late ones are those of a stall. */
	#stalled = false;
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
		return this.#settlesAtUs !== undefined;
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
			settling: this.#settling,
			jumps: this.#jumps,
		};
	}

	/** Takes note of one frame, in order of arrival. "reset" when the source starts over with it. */
	onArrival(arrival: Arrival): "continuous" | "reset" {
		const { arrivalUs, dtsUs } = arrival;
		const transitUs = arrivalUs - dtsUs;
		const reset = this.#isDiscontinuity(arrival) || this.#hasMoved(transitUs, arrivalUs);
		if (reset) {
			this.#reset();
		}
		this.#lastArrivalUs = arrivalUs;
		this.#tracks[arrival.track].dtsUs = dtsUs;
		this.#baseline.add(transitUs, arrivalUs);
		if (this.#isSettling(arrivalUs)) {
			this.#offsetUs = this.#baseline.us + this.#targetUs;
		} else {
			this.#measure(arrival.track, transitUs, arrivalUs);
			this.#keepCeiling();
		}
		return reset ? "reset" : "continuous";
	}

	/** Sets how long before its play-out a frame of `track` must be there; negative where it is used later. */
	setLead(track: Track, leadMs: number): void {
		this.#leadUs[track] = msToUs(leadMs);
	}

	/**
	 * The same source comes by another path from now on: what was measured of the old one is forgotten but for its jitter, and the mapping stays where it is, or
	 * what is heard and seen would jump. Only where all would come too late for it does it move, by as little as that takes.
	 *
	 * @param transitUs the least that frames took by the new path
	 */
	changePath(transitUs: number, nowUs: number): void {
		if (!this.running) {
			return;
		}
		this.#baseline.reset();
		this.#baseline.add(transitUs, nowUs);
		this.#lateRun = undefined;
		this.#stalled = false;
		this.#lastArrivalUs = nowUs;
		for (const track of Object.values(this.#tracks)) {
			track.dtsUs = undefined;
			track.longestUs = 0;
		}
		this.#offsetUs = Math.max(this.#offsetUs, transitUs + this.#floorUs);
	}

	/** Another source, or the same one by a clock of its own: all starts over with the next arrival. */
	restart(): void {
		if (this.running) {
			this.#reset();
			this.#lastArrivalUs = undefined;
		}
	}

	/** Moves the delay towards its target; call at least once per output step. */
	advance(nowUs: number): void {
		const elapsedUs = clamp(nowUs - (this.#advancedUs ?? nowUs), 0, MAX_ADVANCE_US);
		this.#advancedUs = Math.max(nowUs, this.#advancedUs ?? nowUs);
		if (!this.running) {
			return;
		}
		this.#keepCeiling();
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

	#isDiscontinuity({ track, arrivalUs, dtsUs }: Arrival): boolean {
		if (this.#lastArrivalUs === undefined) {
			return false;
		}
		const lastDtsUs = this.#tracks[track].dtsUs;
		const isBack = lastDtsUs !== undefined && dtsUs - lastDtsUs < -BACKWARD_TOLERANCE_US;
		const leapt = !this.#settling && arrivalUs - dtsUs < this.#baseline.us - LEAP_US;
		return isBack || leapt || arrivalUs - this.#lastArrivalUs > LONGEST_SILENCE_US;
	}

	/** All has been late for so long, without coming closer, that this is how the path is now. */
	#hasMoved(transitUs: number, arrivalUs: number): boolean {
		if (this.#lastArrivalUs === undefined || this.#settling || transitUs <= this.#offsetUs) {
			this.#lateRun = undefined;
			return false;
		}
		this.#lateRun ??= new LateRun(transitUs, arrivalUs, arrivalUs - this.#lastArrivalUs);
		return this.#lateRun.add(transitUs, arrivalUs);
	}

	#reset(): void {
		this.#resets += 1;
		this.#baseline.reset();
		this.#settlesAtUs = undefined;
		this.#settlingUs = Number.POSITIVE_INFINITY;
		this.#lateRun = undefined;
		this.#stalled = false;
		for (const track of Object.values(this.#tracks)) {
			track.dtsUs = undefined;
			track.longestUs = 0;
		}
	}

	/** True from a start until what comes is live. */
	#isSettling(arrivalUs: number): boolean {
		if (this.#settlesAtUs === undefined || (this.#settling && arrivalUs >= this.#settlesAtUs)) {
			this.#settling = this.#settlingUs - this.#baseline.us > SETTLING_FALL_US;
			this.#settlingUs = this.#baseline.us;
			this.#settlesAtUs = arrivalUs + SETTLE_US;
			this.#intervalEndUs = arrivalUs + HISTOGRAM_INTERVAL_US;
		}
		return this.#settling;
	}

	#keepCeiling(): void {
		if (!this.#settling && this.#delayUs() > this.#ceilingUs) {
			this.#offsetUs = this.#baseline.us + this.#targetUs;
			this.#jumps += 1;
		}
	}

	/** Counts how late a frame was, unless it belongs to a stall. A burst enters the histogram as one, when it has ended. */
	#measure(track: Track, transitUs: number, arrivalUs: number): void {
		const latenessUs = transitUs - this.#baseline.us;
		this.#stalled = this.#lateRun !== undefined && (this.#stalled || latenessUs > this.#ceilingUs);
		if (arrivalUs >= this.#intervalEndUs && !this.#lateRun?.isBurst) {
			this.#closeInterval();
			this.#intervalEndUs = arrivalUs + HISTOGRAM_INTERVAL_US;
		}
		if (!this.#stalled) {
			const state = this.#tracks[track];
			state.longestUs = Math.max(state.longestUs, latenessUs);
		}
	}

	#closeInterval(): void {
		this.#jitterUs = 0;
		let wantedUs = this.#floorUs;
		for (const name of ["audio", "video"] as const) {
			const each = this.#tracks[name];
			if (each.dtsUs === undefined) {
				continue;
			}
			each.histogram.add(each.longestUs);
			each.longestUs = 0;
			const quantileUs = each.histogram.quantileUs();
			this.#jitterUs = Math.max(this.#jitterUs, quantileUs ?? 0);
			wantedUs = Math.max(wantedUs, quantileUs === undefined ? this.#startUs : quantileUs + this.#leadUs[name]);
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
