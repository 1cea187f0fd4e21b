import { US_PER_SECOND } from "../../media/units.ts";

const WINDOW_US = US_PER_SECOND;
const BITS_PER_BYTE = 8;
/** No second of the stream holds more than this share of the target, unless by one frame that nobody could foresee. */
const TOLERATED = 1.2;
/** A second is planned to hold this share at most, with the key frame that it may have to hold: above it the encoder is asked for less. */
const PLANNED = 1.17;
/** … and so much that it would be this, since it follows its orders loosely, and late. */
const AIMED_AT = 1.12;
/** Below this share it may have more again. */
const RAISE_BELOW = 1.08;
/** A picture that stands still for longer looks like the end of the broadcast, to viewers and to destinations. */
const LONGEST_PAUSE_US = 5 * US_PER_SECOND;
/** One step down is at most to a half, at least to nineteen twentieths. */
const STRONGEST_STEP = 0.5;
const WEAKEST_STEP = 0.95;
/** Where frames had to be left out, the plan was wrong. */
const DROPPING_STEP = 0.9;
/** One step up is at most by a tenth, and less where little is missing: what is raised shortly before a key frame makes that one large. */
const STRONGEST_RAISE = 1.1;
const LOWER_EVERY_US = 300_000;
const RAISE_EVERY_US = 500_000;
/** After so many delta frames {@link LATEST_WEIGHT} has forgotten nine tenths of what was before a change. */
const FRAMES_TO_JUDGE_BY = 6;
/** Below a twentieth of the target an encoder no longer follows; then only dropping helps. */
const LEAST_SHARE = 0.05;
/** How much of what the delta frames before say about the next comes from the latest. */
const LATEST_WEIGHT = 0.3;
/** What is expected of a delta frame is its like's mean and as much more; of a key frame, the largest of its like and as much more. */
const EXPECTED_MARGIN = 1.2;
/** OpenH264's key frames of one scene differ by half: the largest of so many is what to expect, and the very first no measure, since it begins at a low quality. */
const KEYS_TO_JUDGE_BY = 3;
/** A key frame is not expected to be smaller than so many delta frames: the last may be of an easier scene. OpenH264's were 4 to 9 times as large. */
const KEY_TO_DELTA = 4;
/** … while there are too few to judge by: with what the frames right after it take beyond their like. */
const KEY_TO_DELTA_AT_FIRST = 9.5;
/** Most of a second's worth that such a guess can be. */
const GUESSED_KEY_SHARE = 0.33;

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
	/** Mean bits of the latest delta frames; `undefined` before there was one. */
	#usualDelta: number | undefined;
	/** Bits of the latest key frames. */
	#latestKeys: readonly number[] = [];
	#keyFrames = 0;
	/** From one frame to the next, those left out included. */
	#usualStepUs: number | undefined;
	#offeredUs: number | undefined;
	/** Bits beyond the tolerated rate, as of `#debtUs`. */
	#debtBits = 0;
	#debtUs = Number.NEGATIVE_INFINITY;
	#lastAdmittedUs: number | undefined;
	#changedUs = Number.NEGATIVE_INFINITY;
	#deltasSinceChange = 0;
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
		this.#latestKeys = this.#latestKeys.map((bits) => bits * scale);
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
		this.#learnStep(atUs);
		const expected = kind === "key" ? this.#likelyKey() : (this.#usualDelta ?? 0) * EXPECTED_MARGIN;
		if (this.#isTooMuch(kind === "asked" ? 0 : expected, atUs)) {
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
		return this.#steer(atUs);
	}

	/** Asks for less where a second would hold too much, for more where it would not; true when that is another rate. */
	#steer(atUs: number): boolean {
		const sinceUs = atUs - this.#changedUs;
		// Where most are left out, it takes too long until there are enough to judge by.
		if (sinceUs < LOWER_EVERY_US || (this.#deltasSinceChange < FRAMES_TO_JUDGE_BY && !this.#droppedSinceChange)) {
			return false;
		}
		const share = this.#fullestSecondBits() / this.#targetBps;
		if (share > PLANNED || this.#droppedSinceChange) {
			const most = this.#droppedSinceChange ? DROPPING_STEP : WEAKEST_STEP;
			this.#droppedSinceChange = false;
			return this.#ask(this.#askedBps * Math.min(most, Math.max(STRONGEST_STEP, AIMED_AT / share)), atUs);
		}
		const raise = Math.min(STRONGEST_RAISE, AIMED_AT / share);
		return share < RAISE_BELOW && sinceUs >= RAISE_EVERY_US && this.#ask(this.#askedBps * raise, atUs);
	}

	/** What the next seconds hold at most if all goes on like this: delta frames, and one key frame. */
	#fullestSecondBits(): number {
		const delta = this.#usualDelta ?? 0;
		const framesASecond = US_PER_SECOND / (this.#usualStepUs ?? US_PER_SECOND);
		return delta * Math.max(0, framesASecond - 1) + this.#largestKey();
	}

	/** What has to be planned for. */
	#largestKey(): number {
		const times = this.#keyFrames > KEYS_TO_JUDGE_BY ? KEY_TO_DELTA : KEY_TO_DELTA_AT_FIRST;
		return Math.max(...this.#latestKeys.map((bits) => bits * EXPECTED_MARGIN), this.#guessedKey(times));
	}

	/** Only for what is likely a frame is left out. */
	#likelyKey(): number {
		return Math.max(this.#latestKeys.at(-1) ?? 0, this.#guessedKey(KEY_TO_DELTA));
	}

	#guessedKey(times: number): number {
		return Math.min((this.#usualDelta ?? 0) * times, this.#targetBps * GUESSED_KEY_SHARE);
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

	#learn(kind: FrameKind, bits: number): void {
		if (kind === "delta") {
			this.#usualDelta = blended(this.#usualDelta, bits);
			this.#deltasSinceChange += 1;
		} else {
			this.#latestKeys = [...this.#latestKeys, bits].slice(-KEYS_TO_JUDGE_BY);
			this.#keyFrames += 1;
		}
	}

	/** A pause says nothing of how often frames come. */
	#learnStep(atUs: number): void {
		const stepUs = this.#offeredUs === undefined ? undefined : Math.min(atUs - this.#offeredUs, WINDOW_US);
		this.#usualStepUs = stepUs === undefined ? undefined : blended(this.#usualStepUs, stepUs);
		this.#offeredUs = atUs;
	}

	#debtBitsAt(atUs: number): number {
		const paidBits = ((atUs - this.#debtUs) * this.#targetBps * TOLERATED) / US_PER_SECOND;
		return Math.max(0, this.#debtBits - Math.max(0, paidBits));
	}

	#ask(wantedBps: number, atUs: number): boolean {
		const bps = Math.min(this.#targetBps, Math.max(this.#targetBps * LEAST_SHARE, wantedBps));
		if (bps === this.#askedBps) {
			return false;
		}
		// The next key frame will be another, too; of delta frames there are soon new ones to learn from.
		const scale = bps / this.#askedBps;
		this.#latestKeys = this.#latestKeys.map((bits) => bits * scale);
		this.#askedBps = bps;
		this.#changedUs = atUs;
		this.#deltasSinceChange = 0;
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

function blended(before: number | undefined, latest: number): number {
	return before === undefined ? latest : before * (1 - LATEST_WEIGHT) + latest * LATEST_WEIGHT;
}
