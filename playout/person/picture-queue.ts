import { US_PER_SECOND } from "../../media/units.ts";

/** Decoded pictures waiting at most: 0.5 s at 30 fps. More means decoding runs ahead of its lead; memory is what bounds it. */
const MAX_WAITING_PICTURES = 16;
/**
 * How far beyond half an output interval a picture's time may lie from its step before one is repeated or left out, as a share of the interval.
 * Source and output drift past each other; without this slack the choice would flip on every millisecond of rounding.
 */
const PHASE_SLACK = 0.25;

/** A decoded picture and what is known of it. The queue owns `frame` from `push` on and closes it. */
export interface Picture {
	readonly frame: VideoFrame;
	readonly ptsUs: number;
	/** Which of the sources there were one after the other `ptsUs` is of. */
	readonly source: number;
	/** When the last byte of its encoded frame arrived. */
	readonly arrivalUs: number;
}

/**
 * Which picture to show at `dueUs`: how many of the waiting ones (oldest first) to step forward over. Of those that are near enough it takes the one
 * that lies to its step as the picture on show (`shownPlayoutUs`) lay to the step before, so that a steady source moves steadily.
 */
export function picturesToAdvance(
	waitingPlayoutUs: readonly number[],
	shownPlayoutUs: number | undefined,
	dueUs: number,
	outputIntervalUs: number,
): number {
	const farthestUs = outputIntervalUs * (0.5 + PHASE_SLACK);
	const shownPhaseUs = (shownPlayoutUs ?? Number.NEGATIVE_INFINITY) - (dueUs - outputIntervalUs);
	const inStep = Math.abs(shownPhaseUs) <= farthestUs;
	const aimUs = inStep ? dueUs + shownPhaseUs : dueUs;
	const earliestUs = dueUs + (inStep ? farthestUs : outputIntervalUs / 2);
	let advance = 0;
	for (const playoutUs of waitingPlayoutUs) {
		const before = waitingPlayoutUs[advance - 1] ?? Number.NEGATIVE_INFINITY;
		const isNearer = before < dueUs - farthestUs || Math.abs(playoutUs - aimUs) < Math.abs(before - aimUs);
		if (playoutUs > earliestUs || !isNearer) {
			break;
		}
		advance += 1;
	}
	return advance;
}

/** Decoded pictures of one person in presentation order, and the one being shown. */
export class PictureQueue {
	readonly #intervalUs: number;
	#waiting: Picture[] = [];
	#shown: Picture | undefined;
	#dropped = 0;

	constructor(outputFrameRate: number) {
		this.#intervalUs = US_PER_SECOND / outputFrameRate;
	}

	/** The picture now on show; still owned by the queue. */
	get shown(): Picture | undefined {
		return this.#shown;
	}

	/** Pictures never shown: a newer one was due as well, there were too many, or the source's time jumped. */
	get dropped(): number {
		return this.#dropped;
	}

	get waiting(): number {
		return this.#waiting.length;
	}

	push(picture: Picture): void {
		this.#waiting.push(picture);
		if (this.#waiting.length > MAX_WAITING_PICTURES) {
			this.#waiting.shift()?.frame.close();
			this.#dropped += 1;
		}
	}

	/** Steps to the picture due at `dueUs`; true when it is a new one. */
	advance(dueUs: number, playoutUs: (ptsUs: number) => number): boolean {
		const advance = picturesToAdvance(
			this.#waiting.map((picture) => playoutUs(picture.ptsUs)),
			this.#shown === undefined ? undefined : playoutUs(this.#shown.ptsUs),
			dueUs,
			this.#intervalUs,
		);
		if (advance === 0) {
			return false;
		}
		const passed = this.#waiting.splice(0, advance);
		const next = passed.pop();
		for (const picture of passed) {
			picture.frame.close();
		}
		this.#dropped += passed.length;
		this.#shown?.frame.close();
		this.#shown = next;
		return true;
	}

	/** Lets go of everything that waits, as after a jump of the source's time; what is on show stays. */
	clearWaiting(): void {
		this.#dropped += this.#waiting.length;
		for (const picture of this.#waiting) {
			picture.frame.close();
		}
		this.#waiting = [];
	}

	close(): void {
		this.clearWaiting();
		this.#shown?.frame.close();
		this.#shown = undefined;
	}
}
