import type { CaptureClock } from "../protocol/media-socket.ts";
import type { TimeRebaser } from "./time-rebaser.ts";

/** What one publisher says of its clock, as what is to be added to the stream's time. */
export class CaptureOffset {
	#said: CaptureClock | undefined;
	/** No tag has followed yet. */
	#isNews = false;
	#epoch = 0;

	/** It holds from the next tag on. */
	say(clock: CaptureClock): void {
		this.#said = clock;
		this.#isNews = true;
	}

	/** Another publisher, or the same by another connection, whose clock nobody knows. */
	forget(): void {
		this.#said = undefined;
	}

	/**
	 * The publisher's clock less the stream's time, in milliseconds, at the tag that `time` mapped last; `undefined` where it is not known. What was said
	 * of a time that has jumped since holds no more.
	 */
	at(time: TimeRebaser): number | undefined {
		if (this.#isNews) {
			this.#isNews = false;
			this.#epoch = time.epoch;
		} else if (this.#epoch !== time.epoch) {
			this.forget();
		}
		const atMs = this.#said && time.timeOf(this.#said.tagMs);
		return this.#said && atMs !== undefined ? this.#said.captureMs - atMs : undefined;
	}
}
