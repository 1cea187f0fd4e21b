/** Heights that are asked for: few, so that a place that changes a little changes nothing. */
const HEIGHTS = [180, 270, 360, 540, 720, 1_080] as const;
/** A place that grows shows what it has until more comes. */
const HEAD_ROOM = 1.5;
/** A layout that is tried for a moment is no reason for fewer lines. */
const FEWER_AFTER_MS = 5_000;

/** How many lines one person's place in the output needs, with room to grow: more at once, fewer only when it has been smaller for a while. */
export class PlaceLines {
	#lines: number | undefined;
	#smallerSinceMs: number | undefined;

	/** @param placeHeight 0 where they have no place. `undefined`: as many as there are. */
	look(placeHeight: number, nowMs: number): number | undefined {
		const wanted = linesFor(placeHeight);
		const isSmaller = (wanted ?? Number.POSITIVE_INFINITY) < (this.#lines ?? Number.POSITIVE_INFINITY);
		this.#smallerSinceMs = isSmaller ? (this.#smallerSinceMs ?? nowMs) : undefined;
		if (this.#smallerSinceMs === undefined || nowMs - this.#smallerSinceMs >= FEWER_AFTER_MS) {
			this.#lines = wanted;
			this.#smallerSinceMs = undefined;
		}
		return this.#lines;
	}
}

function linesFor(placeHeight: number): number | undefined {
	return placeHeight <= 0 ? undefined : HEIGHTS.find((each) => each >= placeHeight * HEAD_ROOM);
}
