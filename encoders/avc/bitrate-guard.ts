import { US_PER_SECOND } from "../../media/units.ts";

const WINDOW_US = US_PER_SECOND;
const BITS_PER_BYTE = 8;
/** Above this share of the target the encoder is asked for less. A group that begins in the window is usually within it. */
const LOWER_ABOVE = 1.2;
/**
 * What exceeds the tolerated rate is a debt. Above this much, in seconds of the target, frames are left out until it is paid: a destination would
 * choke on more. In no second does then more than twice the target leave, and one frame; for long, not more than the tolerated rate.
 */
const MAX_DEBT_SECONDS = 0.8;
/** A picture that stands still for longer looks like the end of the broadcast, to viewers and to destinations. */
const LONGEST_PAUSE_US = 5 * US_PER_SECOND;
/** Below this share of the target the encoder may have more again. */
const RAISE_BELOW = 0.9;
/** One step down is at most to a half, at least to nine tenths: an encoder follows its orders loosely, and late. */
const STRONGEST_STEP = 0.5;
const WEAKEST_STEP = 0.9;
const RAISE_STEP = 1.1;
const LOWER_EVERY_US = 300_000;
const RAISE_EVERY_US = US_PER_SECOND;
/** Below a twentieth of the target an encoder no longer follows; then only dropping helps. */
const LEAST_SHARE = 0.05;

/**
 * Holds the video near its bitrate where the encoder does not: asks it for less when a second's worth is over, leaves frames out when that is
 * not enough, and gives slowly back. Pure: time is passed in.
 */
export class BitrateGuard {
	#targetBps: number;
	#sent: { readonly atUs: number; readonly bytes: number }[] = [];
	#bytes = 0;
	/** Bits beyond the tolerated rate, as of `#debtUs`. */
	#debtBits = 0;
	#debtUs = Number.NEGATIVE_INFINITY;
	#lastSentUs: number | undefined;
	#askedBps: number;
	#changedUs = Number.NEGATIVE_INFINITY;
	#dropped = 0;

	constructor(targetBps: number) {
		this.#targetBps = targetBps;
		this.#askedBps = targetBps;
	}

	/** What the encoder is to be asked for now. */
	get askedBps(): number {
		return Math.round(this.#askedBps);
	}

	/** Frames left out so far. */
	get dropped(): number {
		return this.#dropped;
	}

	/** From now on that is the bitrate to hold; the encoder is to be asked for as much. */
	retarget(targetBps: number, nowUs: number): void {
		this.#targetBps = targetBps;
		this.#askedBps = targetBps;
		this.#changedUs = nowUs;
	}

	/** Bits in the last second. */
	rateBps(nowUs: number): number {
		this.#forget(nowUs);
		return (this.#bytes * BITS_PER_BYTE * US_PER_SECOND) / WINDOW_US;
	}

	/** Takes note of an encoded frame; true when `askedBps` changed. */
	note(bytes: number, nowUs: number): boolean {
		this.#sent.push({ atUs: nowUs, bytes });
		this.#bytes += bytes;
		this.#debtBits = this.#debtBitsAt(nowUs) + bytes * BITS_PER_BYTE;
		this.#debtUs = nowUs;
		this.#lastSentUs = nowUs;
		const share = this.rateBps(nowUs) / this.#targetBps;
		const sinceUs = nowUs - this.#changedUs;
		if (share > LOWER_ABOVE && sinceUs >= LOWER_EVERY_US) {
			const step = Math.min(WEAKEST_STEP, Math.max(STRONGEST_STEP, 1 / share));
			return this.#ask(Math.max(this.#targetBps * LEAST_SHARE, this.#askedBps * step), nowUs);
		}
		if (share < RAISE_BELOW && sinceUs >= RAISE_EVERY_US) {
			return this.#ask(Math.min(this.#targetBps, this.#askedBps * RAISE_STEP), nowUs);
		}
		return false;
	}

	/** Whether the next frame is to be left out; counts it when so. */
	shouldDrop(nowUs: number): boolean {
		const inDebt = this.#debtBitsAt(nowUs) > this.#targetBps * MAX_DEBT_SECONDS;
		if (!inDebt || nowUs - (this.#lastSentUs ?? nowUs) >= LONGEST_PAUSE_US) {
			return false;
		}
		this.#dropped += 1;
		return true;
	}

	#debtBitsAt(nowUs: number): number {
		const paidBits = ((nowUs - this.#debtUs) * this.#targetBps * LOWER_ABOVE) / US_PER_SECOND;
		return Math.max(0, this.#debtBits - paidBits);
	}

	#ask(bps: number, nowUs: number): boolean {
		if (bps === this.#askedBps) {
			return false;
		}
		this.#askedBps = bps;
		this.#changedUs = nowUs;
		return true;
	}

	#forget(nowUs: number): void {
		let old = 0;
		while ((this.#sent[old]?.atUs ?? nowUs) <= nowUs - WINDOW_US) {
			this.#bytes -= this.#sent[old]?.bytes ?? 0;
			old += 1;
		}
		this.#sent.splice(0, old);
	}
}
