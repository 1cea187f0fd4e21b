import { RtpTimestampUnwrapper } from "../../media/rtp/rtp-timestamp.ts";
import { msToUs, US_PER_SECOND } from "../../media/units.ts";
import { TransitBaseline } from "../jitter/transit-baseline.ts";

/** Capture times looked back on: a second of pictures or of sound. Senders round them, and stamp them when they come round to it. */
const WINDOW = 48;
/** What is followed is drift, which is slower; sound is resampled by more than 2 ms a second without anyone hearing it. */
const MAX_SLEW = 0.002;
/** Beyond this the sender's clock was set, or its machine slept: drift would take a minute for as much. */
const JUMP_US = msToUs(100);
/** Until so much has come the first word may be the one that was wrong, and nothing has been heard by it for long. */
const SETTLE_US = msToUs(1_000);
/** Measurements on which a jump is believed: more than one packet's mistake. */
const JUMP_AFTER = 8;

/** One frame as it came. */
export interface RtpArrival {
	/** Unsigned 32 bits. */
	readonly rtpTimestamp: number;
	/** When it was captured by the sender's clock, in µs of an origin that all tracks share; `undefined` where the sender does not say. */
	readonly captureUs: number | undefined;
	readonly arrivalUs: number;
}

/**
 * The RTP time of one ssrc in two other ones: the sender's capture clock, where it says so, and the local clock on which the fastest frame took no time.
 * Both move slowly, whatever single frames say; a new ssrc needs a new one.
 */
export class TrackClock {
	readonly #rate: number;
	readonly #unwrapper = new RtpTimestampUnwrapper();
	readonly #transit = new TransitBaseline();
	#differences: number[] = [];
	#captureOffsetUs: number | undefined;
	#settledAtUs = Number.POSITIVE_INFINITY;
	#localOffsetUs: number | undefined;
	#slewedAtUs = 0;

	/** @param rate of the RTP clock, in Hz */
	constructor(rate: number) {
		this.#rate = rate;
	}

	/** Takes note of a frame, in order of arrival. */
	note({ rtpTimestamp, captureUs, arrivalUs }: RtpArrival): void {
		const rtpUs = this.rtpUs(rtpTimestamp);
		this.#transit.add(arrivalUs - rtpUs, arrivalUs);
		const budgetUs = this.#localOffsetUs === undefined ? 0 : Math.max(0, arrivalUs - this.#slewedAtUs) * MAX_SLEW;
		this.#slewedAtUs = Math.max(this.#slewedAtUs, arrivalUs);
		// A frame that was faster than all before is the new measure, at once: nothing has been played by the old one for long.
		this.#localOffsetUs = Math.min(
			this.#transit.us,
			toward(this.#localOffsetUs ?? this.#transit.us, this.#transit.us, budgetUs),
		);
		if (captureUs !== undefined) {
			this.#noteCapture(captureUs - rtpUs, arrivalUs, budgetUs);
		}
	}

	/** RTP time in µs without wraps; of one that lies near those that were noted. */
	rtpUs(rtpTimestamp: number): number {
		return (this.#unwrapper.unwrap(rtpTimestamp) * US_PER_SECOND) / this.#rate;
	}

	/** Capture time less RTP time; `undefined` before the sender has said any. */
	get captureOffsetUs(): number | undefined {
		return this.#captureOffsetUs;
	}

	/** Local time less RTP time of a frame that nothing delayed; `undefined` before the first. */
	get localOffsetUs(): number | undefined {
		return this.#localOffsetUs;
	}

	#noteCapture(differenceUs: number, arrivalUs: number, budgetUs: number): void {
		this.#differences.push(differenceUs);
		if (this.#differences.length > WINDOW) {
			this.#differences.shift();
		}
		if (this.#captureOffsetUs === undefined) {
			this.#captureOffsetUs = differenceUs;
			this.#settledAtUs = arrivalUs + SETTLE_US;
			return;
		}
		const recent = this.#differences.slice(-JUMP_AFTER);
		const offsetUs = this.#captureOffsetUs;
		const direction = Math.sign(differenceUs - offsetUs);
		if (recent.length === JUMP_AFTER && recent.every((each) => (each - offsetUs) * direction > JUMP_US)) {
			this.#differences = recent;
			this.#captureOffsetUs = median(recent);
			return;
		}
		const isSettling = arrivalUs < this.#settledAtUs;
		this.#captureOffsetUs = toward(offsetUs, median(this.#differences), isSettling ? JUMP_US : budgetUs);
	}
}

function toward(from: number, to: number, most: number): number {
	return from + Math.min(most, Math.max(-most, to - from));
}

function median(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
