import type { EncodedFrame } from "../../media/encoded-frame.ts";
import { msToUs } from "../../media/units.ts";
import { type Arrived, LegBacklog } from "./leg-backlog.ts";
import { LegHealth } from "./leg-health.ts";
import type { ClockKind } from "./person-clock.ts";

export type Leg = "stream" | "real-time";

/** The old leg is waited for, to come to where the new one begins: it is slower by no more than this, or has stopped. */
const JOIN_WITHIN_US = msToUs(400);
/** Two frames of sound that lie this far apart or into each other follow on each other. */
const SOUND_SLACK_US = msToUs(10);
/** The longest frame of sound there is in use; the step between two says how long they are. */
const LONGEST_SOUND_US = msToUs(60);
const USUAL_SOUND_US = msToUs(20);

/** What follows comes by another way than what came before. */
export interface PathChange {
	readonly leg: Leg;
	/** Its times are of the same clock. Otherwise all starts over. */
	readonly sameClock: boolean;
	/** Of the first picture: from there on the old way's are of no use. `undefined` where no picture is to come. */
	readonly fromUs: number | undefined;
	/** The least time that what has come by it took, on the source's clock. */
	readonly transitUs: number;
}

export interface LegSwitchOptions {
	/** What is to be shown and heard. */
	onFrame(frame: EncodedFrame, arrivalUs: number): void;
	/** Ahead of the first frame of another way. */
	onPath(change: PathChange, nowUs: number): void;
	/** The real-time leg could be heard, but for a key frame. */
	onKeyFrameWanted(): void;
}

type Configs = Partial<Record<EncodedFrame["track"], EncodedFrame>>;

/**
 * Which of a person's two legs is heard: the real-time one as soon as it brings all that is to come by it, from a key frame on, and for as long as it
 * lives; the stream else. Where both are stamped with one clock the new leg goes on where the old one ends: nothing is shown twice, and nothing left out that was
 * there. What comes by the other leg is kept for a while, so that it can be gone on with at once.
 */
export class LegSwitch {
	readonly #options: LegSwitchOptions;
	readonly #health = { stream: new LegHealth(), "real-time": new LegHealth() };
	readonly #backlog = { stream: new LegBacklog(), "real-time": new LegBacklog() };
	readonly #configs: Record<Leg, Configs> = { stream: {}, "real-time": {} };
	readonly #clocks: Partial<Record<Leg, ClockKind | "own">> = {};
	#heard: Leg | undefined;
	#isConnected = false;
	/** The other leg is to be heard from there on, in the source's time; since when that is known. */
	#joining: { readonly leg: Leg; readonly fromUs: number; readonly sinceUs: number } | undefined;
	/** The heard leg itself comes another way from its next key frame on. */
	#isRejoining = false;
	#pictureUntilUs = Number.NEGATIVE_INFINITY;
	#soundUntilUs = Number.NEGATIVE_INFINITY;
	#lastSoundUs = Number.NEGATIVE_INFINITY;

	constructor(options: LegSwitchOptions) {
		this.#options = options;
	}

	/** `undefined` before anything came. */
	get leg(): Leg | undefined {
		return this.#heard;
	}

	/** What is heard comes. */
	flows(nowUs: number): boolean {
		return this.#heard !== undefined && this.#health[this.#heard].flows(nowUs);
	}

	/** Pictures come by the leg that is heard. */
	hasPictures(nowUs: number): boolean {
		return this.#heard !== undefined && this.#health[this.#heard].trackFlows("video", nowUs);
	}

	/** The stream was told to rest: what is to come begins with a key frame. */
	streamAsleep(): void {
		this.#backlog.stream.clear();
	}

	/** Of the real-time leg: without a connection it is given up sooner. */
	setConnected(isConnected: boolean): void {
		this.#isConnected = isConnected;
	}

	/** The real-time leg comes by another connection from its next key frame on. */
	realTimeReplaced(): void {
		this.#backlog["real-time"].clear();
		this.#isRejoining = this.#heard === "real-time";
	}

	/**
	 * @param clock of its times: the sender's at capture, the local one, or the leg's own
	 * @param arrivalUs on the local clock, in order
	 */
	push(leg: Leg, frame: EncodedFrame, arrivalUs: number, clock: ClockKind | "own"): void {
		const isOtherClock = this.#clocks[leg] !== undefined && this.#clocks[leg] !== clock;
		this.#clocks[leg] = clock;
		if (frame.config !== undefined) {
			this.#configs[leg][frame.track] = { ...frame, data: new Uint8Array() };
		}
		if (frame.data.byteLength > 0 || frame.config === undefined) {
			this.#health[leg].note(frame.track, arrivalUs);
		}
		this.#heard ??= leg;
		if (leg !== this.#heard) {
			if (isOtherClock) {
				this.#backlog[leg].clear();
			}
			if (frame.data.byteLength > 0) {
				this.#backlog[leg].push({ frame, arrivalUs });
			}
		} else {
			this.#takeHeard(leg, frame, arrivalUs, isOtherClock);
		}
		this.tick(arrivalUs);
		if (leg === "real-time" && leg !== this.#heard && frame.track === "video") {
			this.#wantKeyFrame();
		}
	}

	/** To be called with each output frame at least. */
	tick(nowUs: number): void {
		if (this.#joining !== undefined) {
			this.#lookAtJoin(this.#joining, nowUs);
		} else if (this.#heard === "stream" && this.#mayHearRealTime(nowUs)) {
			const first = this.#backlog["real-time"].first;
			this.#joining = { leg: "real-time", fromUs: first?.frame.dtsUs ?? this.#pictureUntilUs, sinceUs: nowUs };
			this.#lookAtJoin(this.#joining, nowUs);
		} else if (this.#heard === "real-time" && this.#mustHearStream(nowUs)) {
			this.#change("stream", nowUs);
		}
	}

	#takeHeard(leg: Leg, frame: EncodedFrame, arrivalUs: number, isOtherClock: boolean): void {
		const isRejoin = this.#isRejoining && frame.track === "video" && frame.keyFrame && frame.data.byteLength > 0;
		if (isOtherClock || isRejoin) {
			this.#isRejoining = false;
			const fromUs = isRejoin ? frame.dtsUs : undefined;
			this.#options.onPath({ leg, sameClock: !isOtherClock, fromUs, transitUs: arrivalUs - frame.dtsUs }, arrivalUs);
			this.#soundUntilUs = isOtherClock ? Number.NEGATIVE_INFINITY : this.#soundUntilUs;
		}
		const untilUs = this.#joining?.fromUs ?? Number.POSITIVE_INFINITY;
		if (frame.track === "video" && frame.data.byteLength > 0) {
			this.#pictureUntilUs = frame.dtsUs;
			if (frame.dtsUs >= untilUs) {
				return; // The other leg has this one.
			}
		}
		this.#hear(frame, arrivalUs);
	}

	#hear(frame: EncodedFrame, arrivalUs: number): void {
		if (frame.track === "audio" && frame.data.byteLength > 0) {
			const stepUs = frame.ptsUs - this.#lastSoundUs;
			this.#lastSoundUs = frame.ptsUs;
			this.#soundUntilUs = frame.ptsUs + (stepUs > 0 && stepUs <= LONGEST_SOUND_US ? stepUs : USUAL_SOUND_US);
		}
		this.#options.onFrame(frame, arrivalUs);
	}

	#lookAtJoin({ leg, fromUs, sinceUs }: { leg: Leg; fromUs: number; sinceUs: number }, nowUs: number): void {
		const old = this.#health[leg === "stream" ? "real-time" : "stream"];
		const isThere = this.#pictureUntilUs >= fromUs || !this.#sharesClock;
		if (isThere || !old.flows(nowUs) || nowUs - sinceUs > JOIN_WITHIN_US) {
			this.#change(leg, nowUs);
		}
	}

	#mayHearRealTime(nowUs: number): boolean {
		const health = this.#health["real-time"];
		const hasPicture = this.#backlog["real-time"].first !== undefined && health.trackFlows("video", nowUs);
		const isSoundOnly = !health.trackFlows("video", nowUs) && !this.#health.stream.trackFlows("video", nowUs);
		return health.isTrusted(nowUs) && health.isComplete(nowUs) && (hasPicture || isSoundOnly);
	}

	#mustHearStream(nowUs: number): boolean {
		const isThere = this.#health.stream.trackFlows("video", nowUs) && this.#backlog.stream.first !== undefined;
		return isThere && this.#health["real-time"].isDead(this.#isConnected, nowUs);
	}

	#change(leg: Leg, nowUs: number): void {
		const sameClock = this.#sharesClock;
		const backlog = this.#backlog[leg];
		const { first } = backlog;
		const fromUs = first?.frame.dtsUs;
		const soundFromUs = sameClock ? this.#soundUntilUs - SOUND_SLACK_US : (fromUs ?? Number.NEGATIVE_INFINITY);
		const frames = backlog.take(soundFromUs);
		this.#heard = leg;
		this.#joining = undefined;
		this.#isRejoining = false;
		this.#backlog[leg === "stream" ? "real-time" : "stream"].clear();
		this.#options.onPath({ leg, sameClock, fromUs, transitUs: leastTransitUs(frames, nowUs) }, nowUs);
		for (const track of ["video", "audio"] as const) {
			const config = this.#configs[leg][track];
			if (config !== undefined) {
				this.#options.onFrame(config, nowUs);
			}
		}
		for (const { frame, arrivalUs } of frames) {
			if (frame.track === "video") {
				this.#pictureUntilUs = frame.dtsUs;
			}
			this.#hear(frame, arrivalUs);
		}
	}

	get #sharesClock(): boolean {
		return this.#clocks.stream === "capture" && this.#clocks["real-time"] === "capture";
	}

	#wantKeyFrame(): void {
		if (this.#backlog["real-time"].first === undefined) {
			this.#options.onKeyFrameWanted();
		}
	}
}

function leastTransitUs(frames: readonly Arrived[], nowUs: number): number {
	const last = frames.at(-1);
	const fallbackUs = last === undefined ? 0 : nowUs - last.frame.dtsUs;
	return frames.reduce((least, { frame, arrivalUs }) => Math.min(least, arrivalUs - frame.dtsUs), fallbackUs);
}
