import type { FlvTag } from "../../../media/flv/tag.ts";

/** What a destination was sent, and when: the material that a run is judged by. Moments are of `performance.now()`. */
export interface ReceivedTag extends FlvTag {
	readonly arrivedAtMs: number;
}

export interface ReceivedSession {
	readonly startedAtMs: number;
	/** `undefined` while it goes on. */
	readonly endedAtMs: number | undefined;
	readonly tags: readonly ReceivedTag[];
}
