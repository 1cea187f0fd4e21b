import { US_PER_SECOND } from "../../media/units.ts";

/** Decoded pictures waiting at most: 0.5 s at 30 fps. More means decoding runs ahead of its lead; memory is what bounds it. */
const MAX_WAITING_PICTURES = 16;
/**
 * How far a picture's time may lie from its place before one is repeated or left out, as a share of the output interval. Source and output
 * of the same rate drift past each other; without this slack the boundary would flip on every millisecond of rounding.
 */
const PHASE_SLACK = 0.25;

/** A decoded picture and what is known of it. The queue owns `frame` from `push` on and closes it. */
export interface Picture {
	readonly frame: VideoFrame;
	readonly ptsUs: number;
	/** When the last byte of its encoded frame arrived. */
	readonly arrivalUs: number;
}

/** Which picture to show at `dueUs`: how many of the waiting ones (oldest first) to step forward over. */
export function picturesToAdvance(
	waitingPlayoutUs: readonly number[],
	dueUs: number,
	outputIntervalUs: number,
): number {
	const earliestUs = dueUs + outputIntervalUs * (0.5 + PHASE_SLACK);
	const latestUs = dueUs + outputIntervalUs * (0.5 - PHASE_SLACK);
	const first = waitingPlayoutUs[0];
	if (first === undefined || first > earliestUs) {
		return 0;
	}
	let advance = 1;
	while ((waitingPlayoutUs[advance] ?? Number.POSITIVE_INFINITY) <= latestUs) {
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

	/** Pictures never shown: a newer one was due as well, or there were too many. */
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
