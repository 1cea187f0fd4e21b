import type { EncodedFrame } from "../../media/encoded-frame.ts";
import { msToUs } from "../../media/units.ts";

export type Leg = "stream" | "real-time";

/** The other leg is waited for, to come to where the new one begins: it is that much slower at most, or it has stopped. */
const JOIN_WITHIN_US = msToUs(300);
const SILENT_US = msToUs(150);
/** Pictures of a real-time leg stop for this long when its line breaks … */
const BROKEN_AFTER_US = msToUs(500);
/** … and without one for this long it is of no use, whatever its line says. */
const DEAD_AFTER_US = msToUs(1_500);
/** The stream's group of pictures so far, to go on with it in its middle: five seconds of picture and sound. */
const MAX_GROUP_FRAMES = 400;

interface Arrived {
	readonly frame: EncodedFrame;
	readonly arrivalUs: number;
}

export interface LegSwitchOptions {
	/** What is to be shown and heard, in order. */
	onFrame(frame: EncodedFrame, arrivalUs: number): void;
	/** The other leg is heard from here on. */
	onLeg(leg: Leg): void;
	/** The real-time leg could be heard, but for a key frame. */
	onKeyFrameWanted(): void;
}

/**
 * Which of a person's two legs is heard. The real-time leg is, as soon as it has a key frame, and as long as it is alive; both are stamped with
 * one clock, so that at a switch the new one goes on where the old one ends: nothing is shown twice, and nothing left out that was there.
 */
export class LegSwitch {
	readonly #options: LegSwitchOptions;
	#leg: Leg | undefined;
	/** What came by the real-time leg since its key frame, while the stream is waited for. */
	#joining: { readonly sinceUs: number; readonly fromUs: number; readonly frames: Arrived[] } | undefined;
	#group: Arrived[] = [];
	#streamVideoUs = Number.NEGATIVE_INFINITY;
	#streamAudioUs = Number.NEGATIVE_INFINITY;
	#streamAtUs = Number.NEGATIVE_INFINITY;
	#realTimeAtUs = Number.NEGATIVE_INFINITY;
	#isConnected = false;

	constructor(options: LegSwitchOptions) {
		this.#options = options;
	}

	/** `undefined` before anything came. */
	get leg(): Leg | undefined {
		return this.#leg;
	}

	setConnected(isConnected: boolean): void {
		this.#isConnected = isConnected;
	}

	push(leg: Leg, frame: EncodedFrame, arrivalUs: number): void {
		if (leg === "stream") {
			this.#pushStream(frame, arrivalUs);
		} else {
			this.#pushRealTime(frame, arrivalUs);
		}
		this.tick(arrivalUs);
	}

	/** To be called ten times a second or so. */
	tick(nowUs: number): void {
		const joining = this.#joining;
		if (joining !== undefined) {
			const isThere = this.#streamVideoUs >= joining.fromUs;
			const isSilent = nowUs - this.#streamAtUs > SILENT_US;
			if (isThere || isSilent || nowUs - joining.sinceUs > JOIN_WITHIN_US) {
				this.#join(joining.frames, joining.fromUs);
			}
			return;
		}
		if (this.#leg === "real-time" && this.#isRealTimeLost(nowUs) && this.#isStreamThere(nowUs)) {
			this.#become("stream");
			for (const { frame, arrivalUs } of this.#group) {
				this.#options.onFrame(frame, arrivalUs);
			}
		}
	}

	#pushStream(frame: EncodedFrame, arrivalUs: number): void {
		this.#leg ??= this.#begin("stream");
		this.#keepGroup(frame, arrivalUs);
		if (frame.data.byteLength > 0) {
			this.#streamAtUs = arrivalUs;
			if (frame.track === "video") {
				this.#streamVideoUs = frame.dtsUs;
			}
		}
		const from = this.#joining?.fromUs ?? Number.POSITIVE_INFINITY;
		if (this.#leg === "stream" && frame.dtsUs < from) {
			if (frame.track === "audio" && frame.data.byteLength > 0) {
				this.#streamAudioUs = frame.ptsUs;
			}
			this.#options.onFrame(frame, arrivalUs);
		}
	}

	#pushRealTime(frame: EncodedFrame, arrivalUs: number): void {
		if (frame.track === "video") {
			this.#realTimeAtUs = arrivalUs;
		}
		if (this.#leg === "real-time") {
			this.#options.onFrame(frame, arrivalUs);
			return;
		}
		if (this.#joining !== undefined) {
			this.#joining.frames.push({ frame, arrivalUs });
			return;
		}
		const isKey = frame.track === "video" && frame.keyFrame;
		if (this.#leg === undefined) {
			this.#begin("real-time");
			this.#options.onFrame(frame, arrivalUs);
		} else if (isKey) {
			this.#joining = { sinceUs: arrivalUs, fromUs: frame.dtsUs, frames: [{ frame, arrivalUs }] };
		} else if (frame.track === "video") {
			this.#options.onKeyFrameWanted();
		}
	}

	#join(frames: readonly Arrived[], fromUs: number): void {
		const heardUntilUs = this.#streamAudioUs;
		this.#become("real-time");
		for (const { frame, arrivalUs } of frames) {
			const wasHeard = frame.track === "audio" && frame.ptsUs <= heardUntilUs && heardUntilUs - fromUs < JOIN_WITHIN_US;
			if (!wasHeard) {
				this.#options.onFrame(frame, arrivalUs);
			}
		}
	}

	#begin(leg: Leg): Leg {
		this.#become(leg);
		return leg;
	}

	#become(leg: Leg): void {
		this.#leg = leg;
		this.#joining = undefined;
		this.#options.onLeg(leg);
	}

	#isRealTimeLost(nowUs: number): boolean {
		const silentUs = nowUs - this.#realTimeAtUs;
		return silentUs > DEAD_AFTER_US || (!this.#isConnected && silentUs > BROKEN_AFTER_US);
	}

	#isStreamThere(nowUs: number): boolean {
		return nowUs - this.#streamAtUs < SILENT_US && this.#group.some(({ frame }) => isPictureKey(frame));
	}

	/** What stands at the group's front is the configuration that its key frame needs. */
	#keepGroup(frame: EncodedFrame, arrivalUs: number): void {
		if (isPictureKey(frame)) {
			const configs = this.#group.filter((each) => each.frame.config !== undefined && each.frame.data.byteLength === 0);
			const latest = (track: EncodedFrame["track"]) => configs.findLast((each) => each.frame.track === track);
			this.#group = [latest("video"), latest("audio")].filter((each) => each !== undefined);
		}
		this.#group.push({ frame, arrivalUs });
		if (this.#group.length > MAX_GROUP_FRAMES) {
			this.#group = this.#group.filter((each) => each.frame.config !== undefined);
		}
	}
}

function isPictureKey(frame: EncodedFrame): boolean {
	return frame.track === "video" && frame.keyFrame && frame.data.byteLength > 0;
}
