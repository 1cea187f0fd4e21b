import { expect, it } from "vitest";
import { firstKeyFrameOf } from "../../../../bench/start/first-together.ts";

function frame(arrivedAtMs: number, key: boolean, ...ids: readonly number[]) {
	return { arrivedAtMs, timeMs: arrivedAtMs, session: 0, key, codes: ids.map((id) => ({ id, number: 1 })) };
}

it("takes the first key frame that shows the guest, whoever else is in it", () => {
	const frames = [frame(1, true, 1), frame(2, false, 1, 101), frame(3, true, 1, 101), frame(4, true, 101)];
	expect(firstKeyFrameOf(frames, 101)?.arrivedAtMs).toBe(3);
});

it("finds none where the guest is in no key frame", () => {
	expect(firstKeyFrameOf([frame(1, true, 1), frame(2, false, 1, 101)], 101)).toBeUndefined();
});
