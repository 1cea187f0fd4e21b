import { rtpBetween } from "../../media/rtp/rtp-timestamp.ts";
import { msToUs } from "../../media/units.ts";

/** Sending again takes a round trip or two; who waits longer has to be shown something new. */
const ASK_AFTER_US = msToUs(200);
/** What comes later than this is beyond every play-out delay. */
const GIVE_UP_AFTER_US = msToUs(500);
/** Two seconds at 60 fps. */
const MAX_WAITING = 120;
/** Numbers and times remembered of pictures that were handed on: senders repeat old packets as padding, from the last second or two. */
const MAX_REMEMBERED = 512;
/** A step of more than this many usual ones may be a lost picture. */
const LONG_STEP = 1.6;
const STEPS = 9;

/** What is known of an encoded picture's place. */
export interface Numbered {
	readonly keyFrame: boolean;
	readonly rtpTimestamp: number;
	/** From the dependency descriptor; absent where the sender does not send one. */
	readonly frameId?: number | undefined;
	readonly dependencies?: readonly number[] | undefined;
	/** Its bytes only came once all before them had: H.264 without a descriptor, as Chromium puts it together. */
	readonly inOrder: boolean;
}

interface Waiting<P extends Numbered> {
	readonly picture: P;
	readonly sinceUs: number;
}

/**
 * Puts the pictures of one ssrc back in decoding order. Chromium hands them to a transform as soon as each is whole: one that had to be sent again comes after
 * those that refer to it, and one that was repeated as padding comes twice.
 *
 * With a dependency descriptor a picture waits for those that it needs. Without one a long step in time is taken for a picture that is still to come, for
 * as long as sending it again takes. Nothing is handed on whose references are missing, except that of a loss without descriptor nothing can be known.
 */
export class PictureOrder<P extends Numbered> {
	readonly #handedOn = new Set<number>();
	readonly #handedOnRtp = new Set<number>();
	#waiting: Waiting<P>[] = [];
	/** Of the newest that was handed on. */
	#lastRtp: number | undefined;
	#steps: number[] = [];
	#started = false;
	#broken = false;

	/** A picture is missing for longer than sending it again takes. */
	needsKeyFrame(nowUs: number): boolean {
		const [first] = this.#waiting;
		return this.#broken || (first !== undefined && nowUs - first.sinceUs > ASK_AFTER_US);
	}

	/** Takes one picture as it came; answers all that can be decoded by it, in order. */
	push(picture: P, nowUs: number): P[] {
		if (this.#isRepeated(picture)) {
			return [];
		}
		this.#waiting.push({ picture, sinceUs: nowUs });
		this.#waiting.sort((a, b) => rtpBetween(b.picture.rtpTimestamp, a.picture.rtpTimestamp));
		if (this.#waiting.length > MAX_WAITING) {
			this.#giveUp();
		}
		return this.#release(nowUs);
	}

	/** Call now and then: what was waited for in vain is given up. */
	tick(nowUs: number): P[] {
		const [first] = this.#waiting;
		if (first !== undefined && nowUs - first.sinceUs > GIVE_UP_AFTER_US) {
			this.#giveUp();
		}
		return this.#release(nowUs);
	}

	/** Nobody can use what refers to what came before. */
	requireKeyFrame(): void {
		this.#giveUp();
	}

	#release(nowUs: number): P[] {
		const released: P[] = [];
		for (;;) {
			const at = this.#waiting.findIndex((waiting, index) => this.#isNext(waiting, index, nowUs));
			if (at < 0) {
				return released;
			}
			const [next] = this.#waiting.splice(at, 1);
			if (next === undefined) {
				return released;
			}
			if (next.picture.keyFrame && at > 0) {
				this.#waiting.splice(0, at); // Nothing after a key frame refers to what is before it.
			}
			this.#note(next.picture);
			released.push(next.picture);
		}
	}

	#isNext({ picture, sinceUs }: Waiting<P>, index: number, nowUs: number): boolean {
		if (picture.keyFrame) {
			return true;
		}
		if (!this.#started || this.#broken) {
			return false;
		}
		if (picture.dependencies !== undefined && picture.frameId !== undefined) {
			return picture.dependencies.every((id) => this.#handedOn.has(id));
		}
		return index === 0 && (picture.inOrder || !this.#isLongStep(picture) || nowUs - sinceUs > ASK_AFTER_US);
	}

	#isLongStep({ rtpTimestamp }: P): boolean {
		const usual = this.#steps.length < STEPS ? undefined : this.#steps.toSorted((a, b) => a - b)[Math.floor(STEPS / 2)];
		return (
			usual !== undefined && this.#lastRtp !== undefined && rtpBetween(this.#lastRtp, rtpTimestamp) > usual * LONG_STEP
		);
	}

	#isRepeated({ frameId, rtpTimestamp, keyFrame }: P): boolean {
		if (this.#waiting.some(({ picture }) => picture.rtpTimestamp === rtpTimestamp)) {
			return true;
		}
		if (this.#handedOnRtp.has(rtpTimestamp) || (frameId !== undefined && this.#handedOn.has(frameId))) {
			return true;
		}
		const step = this.#lastRtp === undefined ? 1 : rtpBetween(this.#lastRtp, rtpTimestamp);
		if (step < 0 && !keyFrame && frameId === undefined) {
			// It was missing in what was decoded since: all of that is spoilt until the next key frame.
			this.#broken = true;
		}
		// With a descriptor nothing that was handed on needs it.
		return step <= 0;
	}

	#note({ frameId, rtpTimestamp, keyFrame }: P): void {
		if (keyFrame) {
			this.#started = true;
			this.#broken = false;
		}
		remember(this.#handedOnRtp, rtpTimestamp);
		if (frameId !== undefined) {
			remember(this.#handedOn, frameId);
		}
		if (this.#lastRtp !== undefined) {
			this.#steps.push(rtpBetween(this.#lastRtp, rtpTimestamp));
			if (this.#steps.length > STEPS) {
				this.#steps.shift();
			}
		}
		this.#lastRtp = rtpTimestamp;
	}

	#giveUp(): void {
		this.#waiting = [];
		this.#broken = true;
	}
}

function remember(numbers: Set<number>, number: number): void {
	numbers.add(number);
	const [oldest] = numbers;
	if (numbers.size > MAX_REMEMBERED && oldest !== undefined) {
		numbers.delete(oldest);
	}
}
