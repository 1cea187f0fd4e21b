import { describe, expect, test } from "vitest";
import { DrainWatch } from "../../../sockets/drain-watch.ts";

const FRAME_US = 33_333;
const FRAME_BYTES = 10_000;

/** Output frame at which the line counts as stuck; `waiting` says how many bytes wait in frame n. */
function stuckAt(
	waiting: (frame: number, written: number) => number,
	stepUs: (frame: number) => number = () => FRAME_US,
): number | undefined {
	const watch = new DrainWatch();
	let nowUs = 0;
	for (let frame = 0; frame < 600; frame += 1) {
		nowUs += stepUs(frame);
		const written = (frame + 1) * FRAME_BYTES;
		if (watch.isStuck(written, waiting(frame, written), nowUs)) {
			return frame;
		}
	}
	return undefined;
}

describe("DrainWatch", () => {
	test("is content with a line that is fast, and with one that takes a byte now and then", () => {
		expect(stuckAt(() => 0)).toBeUndefined();
		expect(stuckAt((frame, written) => written - Math.floor(frame / 100))).toBeUndefined();
	});

	test("finds a line out that has taken nothing for 5 s", () => {
		const sentBefore = 100 * FRAME_BYTES;
		const frame = stuckAt((at, written) => (at < 100 ? 0 : written - sentBefore));
		expect(frame).toBeGreaterThanOrEqual(249);
		expect(frame).toBeLessThanOrEqual(251);
	});

	test("does not blame the line for a machine that slept", () => {
		expect(
			stuckAt(
				(frame) => (frame === 100 || frame === 101 ? (frame - 99) * FRAME_BYTES : 0),
				(frame) => (frame === 101 ? 60e6 : FRAME_US),
			),
		).toBeUndefined();
	});
});
