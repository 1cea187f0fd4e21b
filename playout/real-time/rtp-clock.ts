import { TimestampUnwrapper } from "../../media/timestamp.ts";
import { msToUs, US_PER_SECOND } from "../../media/units.ts";
import { TransitBaseline } from "../jitter/transit-baseline.ts";

/** Capture times are said to the millisecond and guessed between: a median of so many is steadier than the steadiest of them. */
const WINDOW = 15;
/** Farther than this the two clocks have not drifted: one of them was set. */
const JUMP_US = msToUs(200);
/** What a clock's drift is followed by: 5 ms a second is more than any has. */
const SLEW_US_PER_SECOND = 5_000;
/** Until so much has come the first guess may still be far off, and is corrected at once. */
const SETTLE_US = msToUs(1_000);

export interface RtpFrameTime {
	/** 32 bits, of the track's own clock. */
	readonly rtpTimestamp: number;
	/** When it was captured, by the sender's clock, where the sender says (abs-capture-time). */
	readonly captureUs: number | undefined;
	readonly arrivalUs: number;
}

/**
 * One track's RTP time as times of one clock that sound and picture of a person share: the sender's own, where it says when things were captured.
 * Where it does not the local one, as if the fastest frame had taken no time; the two tracks' differ by what their encoders do, then.
 *
 * @see RFC 3550 §5.1; abs-capture-time: http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time
 */
export class RtpClock {
	readonly #rate: number;
	readonly #transit = new TransitBaseline();
	#unwrapper = new TimestampUnwrapper();
	#offsets: number[] = [];
	#offsetUs: number | undefined;
	#isCapture = false;
	#startedUs = 0;
	#lastUs = 0;

	/** @param rate ticks a second: 90,000 for video, 48,000 for Opus */
	constructor(rate: number) {
		this.#rate = rate;
	}

	/** Times are those of the sender's clock. */
	get isCapture(): boolean {
		return this.#isCapture;
	}

	/** Another stream of packets, whose time began anywhere. */
	reset(): void {
		this.#unwrapper = new TimestampUnwrapper();
		this.#transit.reset();
		this.#offsets = [];
		this.#offsetUs = undefined;
		this.#isCapture = false;
	}

	/** The frame's time, in microseconds. */
	map({ rtpTimestamp, captureUs, arrivalUs }: RtpFrameTime): number {
		const rtpUs = (this.#unwrapper.unwrapMs(rtpTimestamp) * US_PER_SECOND) / this.#rate;
		this.#transit.add(arrivalUs - rtpUs, arrivalUs);
		if (captureUs !== undefined && !this.#isCapture) {
			// The sender's clock takes the place of ours, once.
			this.#isCapture = true;
			this.#offsetUs = undefined;
		}
		const wantedUs = this.#wantedUs(rtpUs, captureUs);
		this.#offsetUs = this.#followed(wantedUs, arrivalUs);
		this.#lastUs = arrivalUs;
		return Math.round(rtpUs + this.#offsetUs);
	}

	#wantedUs(rtpUs: number, captureUs: number | undefined): number {
		if (!this.#isCapture) {
			return this.#transit.us;
		}
		if (captureUs !== undefined) {
			const offsetUs = captureUs - rtpUs;
			const latest = this.#offsets.at(-1);
			if (latest !== undefined && Math.abs(offsetUs - latest) > JUMP_US) {
				this.#offsets = [];
			}
			this.#offsets.push(offsetUs);
			if (this.#offsets.length > WINDOW) {
				this.#offsets.shift();
			}
		}
		return median(this.#offsets);
	}

	#followed(wantedUs: number, arrivalUs: number): number {
		const offsetUs = this.#offsetUs;
		if (offsetUs === undefined || Math.abs(wantedUs - offsetUs) > JUMP_US) {
			this.#startedUs = arrivalUs;
			return wantedUs;
		}
		if (arrivalUs - this.#startedUs < SETTLE_US) {
			return wantedUs;
		}
		const mostUs = (Math.max(0, arrivalUs - this.#lastUs) * SLEW_US_PER_SECOND) / US_PER_SECOND;
		return offsetUs + Math.min(mostUs, Math.max(-mostUs, wantedUs - offsetUs));
	}
}

function median(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
