import { msToUs } from "../../media/units.ts";

/** How long every frame must be late before the path counts as longer for good. */
const WINDOW_US = msToUs(1_000);
/** After a silence it is told sooner: a burst has come closer by then, a source that merely paused has not. */
const SILENCE_US = msToUs(500);
const WINDOW_AFTER_SILENCE_US = msToUs(300);
/** Longer than the spacing of any feed's frames: what was held up meanwhile comes as a burst. */
const BURST_SILENCE_US = msToUs(100);
/** A backlog that comes at 4/3 of live speed or faster is waited for: lateness falls by a third of the time that passes. */
const CATCHING_UP = 1 / 3;

/**
 * A run of frames that all came too late. Tells a backlog, which catches up with the mapping as it was, from a path or a source's clock
 * that has moved for good, to which the mapping has to move.
 */
export class LateRun {
	/** They were held up together and come together: one event, however many they are. */
	readonly isBurst: boolean;
	readonly #windowUs: number;
	#windowStartUs: number;
	#transitBeforeUs: number;
	#transitUs: number;

	/** @param silenceUs how long nothing had come before the first of them */
	constructor(transitUs: number, arrivalUs: number, silenceUs: number) {
		this.isBurst = silenceUs > BURST_SILENCE_US;
		this.#windowUs = silenceUs > SILENCE_US ? WINDOW_AFTER_SILENCE_US : WINDOW_US;
		this.#windowStartUs = arrivalUs;
		this.#transitBeforeUs = transitUs;
		this.#transitUs = transitUs;
	}

	/** Takes note of one more late frame; true when the path has moved for good. */
	add(transitUs: number, arrivalUs: number): boolean {
		this.#transitUs = Math.min(this.#transitUs, transitUs);
		const elapsedUs = arrivalUs - this.#windowStartUs;
		if (elapsedUs <= this.#windowUs) {
			return false;
		}
		if (this.#transitBeforeUs - this.#transitUs < elapsedUs * CATCHING_UP) {
			return true;
		}
		this.#windowStartUs = arrivalUs;
		this.#transitBeforeUs = this.#transitUs;
		return false;
	}
}
