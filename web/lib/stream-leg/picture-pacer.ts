import { msToUs, US_PER_SECOND } from "../../../media/units.ts";

/** Pictures that may follow each other at once after a pause: cameras waver, by half an interval where a screen's grid comes between. */
const MOST_CREDIT = 1.6;
/** A picture that came too early is sent after all when the next has not come by then, in intervals: a screen shows its last change and then nothing more. */
const CATCH_UP_AFTER = 1.5;
/** With nothing captured for this long the last picture is sent again. The Router takes half a second without one for a source that is gone. */
const REPEAT_AFTER_US = msToUs(250);
/** How often a picture that stands still, or black, is sent: twice what keeps a source from looking slow. */
const STILL_EVERY_US = msToUs(100);

/** Which captured pictures are sent, and when there has to be one that was not captured. Pure: time is passed in, on the capture clock. */
export class PicturePacer {
	#intervalUs: number;
	/** Pictures that might have been sent and were not, as of the latest one that was. */
	#credit = 0;
	/** Time of the latest picture, captured or not. */
	#lastUs = Number.NEGATIVE_INFINITY;
	#capturedUs = Number.NEGATIVE_INFINITY;

	constructor(frameRate: number) {
		this.#intervalUs = US_PER_SECOND / frameRate;
	}

	setFrameRate(frameRate: number): void {
		this.#intervalUs = US_PER_SECOND / frameRate;
	}

	/** What to do with the picture captured then: send it, keep it in case no other comes, or let it go, for time only rises. */
	judge(captureUs: number): "send" | "keep" | "drop" {
		if (captureUs <= this.#lastUs) {
			return "drop";
		}
		if (this.#creditAt(captureUs) < 1) {
			return "keep";
		}
		this.#spend(captureUs);
		this.#capturedUs = captureUs;
		return "send";
	}

	/** Whether a picture that was kept is to be sent now. */
	catchesUp(captureUs: number, nowUs: number): boolean {
		if (nowUs - this.#lastUs < this.#intervalUs * CATCH_UP_AFTER || captureUs <= this.#lastUs) {
			return false;
		}
		this.#spend(captureUs);
		this.#capturedUs = captureUs;
		return true;
	}

	/**
	 * Whether a picture is missing at `nowUs`; it is then taken to be sent with that time.
	 *
	 * @param black there is nothing to wait for: no camera, or none that gives anything
	 */
	fills(nowUs: number, black: boolean): boolean {
		const waitUs = black || this.#lastUs > this.#capturedUs ? STILL_EVERY_US : REPEAT_AFTER_US;
		if (nowUs - this.#lastUs < waitUs) {
			return false;
		}
		this.#spend(nowUs);
		return true;
	}

	#creditAt(atUs: number): number {
		return Math.min(MOST_CREDIT, this.#credit + (atUs - this.#lastUs) / this.#intervalUs);
	}

	#spend(atUs: number): void {
		this.#credit = Math.max(0, this.#creditAt(atUs) - 1);
		this.#lastUs = atUs;
	}
}
