import { msToUs, US_PER_SECOND } from "../../../media/units.ts";

/** Below this a picture of 720 lines is not worth sending; a line that cannot carry it loses pictures instead. */
export const LEAST_BITRATE_BPS = 300_000;
/** A key frame may take this long on a line that is just fast enough; more is a queue. */
const LOWER_ABOVE_US = msToUs(150);
const LOWER_EVERY_US = msToUs(400);
const LOWER_STEP = 0.7;
/** Of what the line was seen to carry, sound and framing take some. */
const CARRIED_SHARE = 0.8;
/** Less is a key frame passing. */
const FREE_BELOW_US = msToUs(110);
/** So long the line has to have been free before more is tried … */
const RAISE_AFTER_US = 4 * US_PER_SECOND;
/** … and then as often, by so much. */
const RAISE_EVERY_US = US_PER_SECOND;
const RAISE_STEP = 1.08;
/** Below this share of the full bitrate half the frames look better than all of them, and above that all are back. */
const HALVE_BELOW = 0.4;
const WHOLE_ABOVE = 0.6;

export interface SendRate {
	readonly bitrateBps: number;
	readonly frameRate: number;
}

export interface RateCap {
	readonly maxBitrateBps?: number | undefined;
	readonly maxFrameRate?: number | undefined;
}

/**
 * How much picture is sent: what was asked for, less what the line does not carry. Down fast, up slowly; the size never changes, for a
 * broadcast's program has one size. Pure: time is passed in.
 */
export class RateControl {
	readonly #full: SendRate;
	#cap: RateCap = {};
	#bitrateBps: number;
	#halved = false;
	#loweredUs = Number.NEGATIVE_INFINITY;
	/** Since when the line has been free, and when more was tried last. */
	#freeSinceUs: number | undefined;
	#raisedUs = Number.NEGATIVE_INFINITY;

	constructor(full: SendRate) {
		this.#full = full;
		this.#bitrateBps = full.bitrateBps;
	}

	get rate(): SendRate {
		const frameRate = Math.min(this.#full.frameRate, this.#cap.maxFrameRate ?? Number.POSITIVE_INFINITY);
		const bitrateBps = Math.round(Math.min(this.#bitrateBps, this.#mostBps));
		return { bitrateBps, frameRate: this.#halved ? Math.min(frameRate, this.#full.frameRate / 2) : frameRate };
	}

	/** By this line's doing less is sent than could be. */
	get lineShare(): number {
		return Math.min(1, this.#bitrateBps / this.#mostBps);
	}

	/** What somebody asks for lowers too; without limits it is lifted again at once. */
	setCap(cap: RateCap): void {
		this.#cap = cap;
	}

	/** Looks at the line, some times a second. @param throughputBps what left it in the last second, if known */
	look(delayUs: number, throughputBps: number | undefined, nowUs: number): void {
		if (delayUs > FREE_BELOW_US) {
			this.#freeSinceUs = undefined;
		} else {
			this.#freeSinceUs ??= nowUs;
		}
		if (delayUs > LOWER_ABOVE_US && nowUs - this.#loweredUs >= LOWER_EVERY_US) {
			const carriedBps = (throughputBps ?? Number.POSITIVE_INFINITY) * CARRIED_SHARE;
			const nowBps = Math.min(this.#bitrateBps, this.#mostBps);
			const leastBps = Math.min(LEAST_BITRATE_BPS, this.#mostBps);
			this.#bitrateBps = Math.max(leastBps, Math.min(nowBps * LOWER_STEP, carriedBps));
			this.#loweredUs = nowUs;
		} else if (this.#mayRaise(nowUs)) {
			this.#bitrateBps = Math.min(this.#full.bitrateBps, this.#bitrateBps * RAISE_STEP);
			this.#raisedUs = nowUs;
		}
		const share = Math.min(this.#bitrateBps, this.#mostBps) / this.#full.bitrateBps;
		this.#halved = this.#halved ? share < WHOLE_ABOVE : share < HALVE_BELOW;
	}

	get #mostBps(): number {
		return Math.min(this.#full.bitrateBps, this.#cap.maxBitrateBps ?? Number.POSITIVE_INFINITY);
	}

	#mayRaise(nowUs: number): boolean {
		return (
			this.#freeSinceUs !== undefined &&
			this.#bitrateBps < this.#full.bitrateBps &&
			nowUs - this.#freeSinceUs >= RAISE_AFTER_US &&
			nowUs - this.#raisedUs >= RAISE_EVERY_US
		);
	}
}
