import { US_PER_SECOND } from "../../media/units.ts";

const WINDOW_US = US_PER_SECOND;
const BITS_PER_BYTE = 8;
/** No second of the stream holds more than this share of the target, unless by one frame that nobody could foresee. */
const TOLERATED = 1.2;
/** Above this share the encoder is asked for less: early, since it follows its orders loosely, and late. */
const LOWER_ABOVE = 1.1;
/** Below this share, in every second of {@link RAISE_AFTER_US}, it may have more again. */
const RAISE_BELOW = 0.95;
/** A picture that stands still for longer looks like the end of the broadcast, to viewers and to destinations. */
const LONGEST_PAUSE_US = 5 * US_PER_SECOND;
/** One step down is at most to a half, at least to nineteen twentieths. */
const STRONGEST_STEP = 0.5;
const WEAKEST_STEP = 0.95;
/** While frames are left out, what leaves says nothing of how much too much it would be. */
const DROPPING_STEP = 0.7;
const RAISE_STEP = 1.1;
const LOWER_EVERY_US = 300_000;
const RAISE_EVERY_US = US_PER_SECOND;
/** Longer than from one key frame to the next: a second without one says nothing of what the next will hold. */
const RAISE_AFTER_US = 2.5 * US_PER_SECOND;
/** Below a twentieth of the target an encoder no longer follows; then only dropping helps. */
const LEAST_SHARE = 0.05;
/** How much of what the delta frames before say about the next comes from the latest. */
const LATEST_WEIGHT = 0.3;
/** What is expected of a frame is its like's mean and as much more. */
const EXPECTED_MARGIN = 1.2;

/** What a frame is to become: `asked` is a key frame that somebody waits for. */
export type FrameKind = "delta" | "key" | "asked";

/** A frame that was let through: what it takes, or while the encoder has it, what it is expected to take. */
interface Admitted {
	readonly atUs: number;
	readonly kind: FrameKind;
	bits: number;
	isKnown: boolean;
}

/**
 * Holds the video at its bitrate where the encoder does not: asks it for less before a second's worth is over, leaves frames out when that is not
 * enough, and gives slowly back. Counts by the frames' own times, as the stream is what a destination gets; how fast an encoder works changes nothing.
 */
export class BitrateGuard {
	#targetBps: number;
	#askedBps: number;
	/** Of the last second, in order. */
	#admitted: Admitted[] = [];
	/** Bits expected of the next delta frame and of the next key frame; `undefined` before there was one. */
	#usualDelta: number | undefined;
	#usualKey: number | undefined;
	/** Bits beyond the tolerated rate, as of `#debtUs`. */
	#debtBits = 0;
	#debtUs = Number.NEGATIVE_INFINITY;
	#lastAdmittedUs: number | undefined;
	#changedUs = Number.NEGATIVE_INFINITY;
	/** When a second last held too much for the encoder to get more. */
	#fullUs = Number.NEGATIVE_INFINITY;
	#dropped = 0;
	#droppedSinceChange = false;

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

	/**
	 * From now on that is the bitrate to hold; the encoder is to be asked for as much. What left before was right by the bitrate of its time, and is no reason
	 * to leave frames out now: it counts for the share that it was.
	 */
	retarget(targetBps: number, atUs: number): void {
		const scale = targetBps / this.#targetBps;
		for (const frame of this.#admitted) {
			frame.bits *= scale;
		}
		this.#debtBits *= scale;
		this.#usualDelta = this.#usualDelta === undefined ? undefined : this.#usualDelta * scale;
		this.#usualKey = this.#usualKey === undefined ? undefined : this.#usualKey * scale;
		this.#targetBps = targetBps;
		this.#askedBps = targetBps;
		this.#changedUs = atUs;
	}

	/** Bits in the second that ends with `atUs`, without what the encoder still has. */
	rateBps(atUs: number): number {
		this.#forget(atUs);
		const bits = this.#admitted.reduce((sum, frame) => sum + (frame.isKnown ? frame.bits : 0), 0);
		return (bits * US_PER_SECOND) / WINDOW_US;
	}

	/**
	 * Whether the frame of time `atUs` may be encoded; counts it among those left out when not. Times only grow. A key frame that was asked for passes
	 * where a regular one would have to wait: the program is to pass from one source to another there, and would stand still.
	 */
	admit(atUs: number, kind: FrameKind): boolean {
		this.#forget(atUs);
		const expected = (kind === "key" ? this.#usualKey : this.#usualDelta) ?? 0;
		if (this.#isTooMuch(kind === "asked" ? 0 : expected * EXPECTED_MARGIN, atUs)) {
			this.#dropped += 1;
			this.#droppedSinceChange = true;
			return false;
		}
		this.#admitted.push({ atUs, kind, bits: expected, isKnown: false });
		this.#lastAdmittedUs = atUs;
		return true;
	}

	/** Takes note of what became of the frame of that time; true when `askedBps` changed. */
	note(bytes: number, atUs: number): boolean {
		const bits = bytes * BITS_PER_BYTE;
		const frame = this.#admitted.find((each) => each.atUs === atUs);
		if (frame !== undefined) {
			this.#learn(frame.kind, bits);
			// Counted as if it were none: what it costs more is paid over the next seconds, not by frames that are left out at once.
			frame.bits = frame.kind === "asked" ? Math.min(bits, frame.bits) : bits;
			frame.isKnown = true;
		}
		this.#debtBits = this.#debtBitsAt(atUs) + bits;
		this.#debtUs = Math.max(atUs, this.#debtUs);
		const share = this.#windowBits() / this.#targetBps;
		if (share >= RAISE_BELOW || this.#droppedSinceChange) {
			this.#fullUs = atUs;
		}
		const sinceUs = atUs - this.#changedUs;
		if ((share > LOWER_ABOVE || this.#droppedSinceChange) && sinceUs >= LOWER_EVERY_US) {
			const most = this.#droppedSinceChange ? DROPPING_STEP : WEAKEST_STEP;
			this.#droppedSinceChange = false;
			const step = Math.min(most, Math.max(STRONGEST_STEP, 1 / share));
			return this.#ask(Math.max(this.#targetBps * LEAST_SHARE, this.#askedBps * step), atUs);
		}
		if (sinceUs >= RAISE_EVERY_US && atUs - this.#fullUs >= RAISE_AFTER_US) {
			return this.#ask(Math.min(this.#targetBps, this.#askedBps * RAISE_STEP), atUs);
		}
		return false;
	}

	#isTooMuch(expectedBits: number, atUs: number): boolean {
		const room = this.#targetBps * TOLERATED;
		const heldUs = this.#lastAdmittedUs === undefined ? 0 : atUs - this.#lastAdmittedUs;
		if (this.#lastAdmittedUs === undefined || heldUs >= LONGEST_PAUSE_US) {
			return false;
		}
		// What no second has room for comes alone, and then only when all beyond the rate is paid.
		const window = this.#windowBits();
		return (window > 0 && window + expectedBits > room) || this.#debtBitsAt(atUs) > room;
	}

	#windowBits(): number {
		return this.#admitted.reduce((sum, { bits }) => sum + bits, 0);
	}

	/** There are few key frames, and the last was of two seconds ago: it alone counts. */
	#learn(kind: FrameKind, bits: number): void {
		if (kind === "delta") {
			const usual = this.#usualDelta ?? bits;
			this.#usualDelta = usual * (1 - LATEST_WEIGHT) + bits * LATEST_WEIGHT;
		} else {
			this.#usualKey = bits;
		}
	}

	#debtBitsAt(atUs: number): number {
		const paidBits = ((atUs - this.#debtUs) * this.#targetBps * TOLERATED) / US_PER_SECOND;
		return Math.max(0, this.#debtBits - Math.max(0, paidBits));
	}

	#ask(bps: number, atUs: number): boolean {
		if (bps === this.#askedBps) {
			return false;
		}
		this.#askedBps = bps;
		this.#changedUs = atUs;
		return true;
	}

	#forget(atUs: number): void {
		let old = 0;
		while ((this.#admitted[old]?.atUs ?? atUs) <= atUs - WINDOW_US) {
			old += 1;
		}
		this.#admitted.splice(0, old);
	}
}
