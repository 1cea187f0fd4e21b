import type { SeenFrame } from "../../test/support/faults/timeline.ts";

/** When the first key frame came that shows the person whose pictures carry this id; `undefined` when none did. */
export function firstKeyFrameOf(frames: readonly SeenFrame[], id: number): SeenFrame | undefined {
	return frames.find(({ key, codes }) => key && codes.some((code) => code.id === id));
}
