import { msToUs } from "../../media/units.ts";

/** A key frame is many times as large as another picture, and takes a round trip to come. */
const AT_MOST_EVERY_US = msToUs(300);

/** Asks a sender for a key frame, and not again before the one that was asked for can be there. */
export class KeyFrameAsker {
	readonly #ask: () => void;
	#askedUs = Number.NEGATIVE_INFINITY;
	#asked = 0;

	constructor(ask: () => void) {
		this.#ask = ask;
	}

	/** Times asked, in all. */
	get asked(): number {
		return this.#asked;
	}

	/** Call for as long as one is wanted. */
	want(nowUs: number): void {
		if (nowUs - this.#askedUs >= AT_MOST_EVERY_US) {
			this.#askedUs = nowUs;
			this.#asked += 1;
			this.#ask();
		}
	}
}
