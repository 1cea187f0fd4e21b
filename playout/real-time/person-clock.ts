import { OPUS_CLOCK_RATE, VIDEO_CLOCK_RATE } from "../../media/rtp/rtp-timestamp.ts";
import type { Track } from "../jitter/playout-clock.ts";
import { type RtpArrival, TrackClock } from "./track-clock.ts";

/** On which clock a time is: the sender's at capture, or the local one, on which the fastest frame took no time. */
export type ClockKind = "capture" | "local";

export interface SourceTime {
	readonly us: number;
	readonly clock: ClockKind;
}

interface Ssrc {
	readonly ssrc: number;
	readonly clock: TrackClock;
}

const RATES: Readonly<Record<Track, number>> = { audio: OPUS_CLOCK_RATE, video: VIDEO_CLOCK_RATE };

/**
 * The RTP times of one connection's sound and picture on one clock. It is the sender's capture clock as soon as either track says it: the other
 * one's is then found by their fastest frames, which differ by what encoding takes longer. Where neither does, it is the local clock.
 */
export class PersonClock {
	readonly #tracks: Partial<Record<Track, Ssrc>> = {};

	/** Takes note of a frame, in order of arrival, and says its time. A new ssrc of the same track starts over. */
	time(track: Track, ssrc: number, arrival: RtpArrival): SourceTime {
		let known = this.#tracks[track];
		if (known?.ssrc !== ssrc) {
			known = { ssrc, clock: new TrackClock(RATES[track]) };
			this.#tracks[track] = known;
		}
		known.clock.note(arrival);
		return this.#timeBy(known.clock, track, arrival.rtpTimestamp);
	}

	/** The time of another frame of the ssrc that came last, as things stand; `undefined` before any. */
	timeOf(track: Track, rtpTimestamp: number): SourceTime | undefined {
		const clock = this.#tracks[track]?.clock;
		return clock && this.#timeBy(clock, track, rtpTimestamp);
	}

	#timeBy(clock: TrackClock, track: Track, rtpTimestamp: number): SourceTime {
		const rtpUs = clock.rtpUs(rtpTimestamp);
		const localUs = rtpUs + (clock.localOffsetUs ?? 0);
		if (clock.captureOffsetUs !== undefined) {
			return { us: rtpUs + clock.captureOffsetUs, clock: "capture" };
		}
		const sibling = this.#tracks[track === "audio" ? "video" : "audio"]?.clock;
		if (sibling?.captureOffsetUs !== undefined && sibling.localOffsetUs !== undefined) {
			return { us: localUs + sibling.captureOffsetUs - sibling.localOffsetUs, clock: "capture" };
		}
		return { us: localUs, clock: "local" };
	}
}
