import { describe, expect, test } from "vitest";
import { JitterBuffer } from "../../../../playout/jitter/frame-buffer.ts";
import { PlayoutClock } from "../../../../playout/jitter/playout-clock.ts";

const FRAME_US = 20_000;

/** A clock that has heard a source for a while whose frames take that long. */
function settled(transitUs: number): { clock: PlayoutClock; nowUs: number } {
	const clock = new PlayoutClock();
	let nowUs = 0;
	for (let index = 0; index < 250; index += 1) {
		nowUs = index * FRAME_US + transitUs;
		clock.onArrival({ track: "audio", dtsUs: index * FRAME_US, arrivalUs: nowUs });
		clock.advance(nowUs);
	}
	return { clock, nowUs };
}

function go(
	clock: PlayoutClock,
	fromUs: number,
	transitUs: number,
	seconds: number,
): { largestUs: number; resets: number } {
	let largestUs = 0;
	let before = clock.playoutUs(0);
	let resets = 0;
	for (let dtsUs = fromUs; dtsUs < fromUs + seconds * 1e6; dtsUs += FRAME_US) {
		resets += clock.onArrival({ track: "audio", dtsUs, arrivalUs: dtsUs + transitUs }) === "reset" ? 1 : 0;
		clock.advance(dtsUs + transitUs);
		largestUs = Math.max(largestUs, Math.abs(clock.playoutUs(0) - before));
		before = clock.playoutUs(0);
	}
	return { largestUs, resets };
}

describe("a path that changes under a play-out clock", () => {
	test("that became shorter moves nothing at once, and is followed at the rate of any other change", () => {
		const { clock, nowUs } = settled(120_000);
		const before = clock.playoutUs(0);
		clock.changePath(40_000, nowUs);
		expect(clock.playoutUs(0)).toBe(before);
		const { largestUs, resets } = go(clock, nowUs - 120_000 + FRAME_US, 40_000, 4);
		expect(resets).toBe(0);
		expect(largestUs).toBeLessThanOrEqual(FRAME_US * 0.25 + 1);
		expect(before - clock.playoutUs(0)).toBeGreaterThan(70_000);
	});

	test("that became longer moves it once, by what the first frames would come too late, and resets nothing", () => {
		const { clock, nowUs } = settled(40_000);
		clock.changePath(160_000, nowUs);
		expect(clock.playoutUs(0)).toBeGreaterThanOrEqual(160_000);
		expect(clock.playoutUs(0)).toBeLessThan(200_000);
		const { resets } = go(clock, nowUs, 160_000, 3);
		expect(resets).toBe(0);
	});

	test("may begin before where the other ended: no restart, for it is the same source", () => {
		const { clock, nowUs } = settled(40_000);
		const { epoch } = clock;
		clock.changePath(60_000, nowUs);
		expect(go(clock, nowUs - 2e6, 60_000, 4).resets).toBe(0);
		expect(clock.epoch).toBe(epoch);
	});

	test("of another source starts over, once", () => {
		const { clock, nowUs } = settled(40_000);
		const { epoch } = clock;
		clock.restart();
		expect(clock.running).toBe(false);
		expect(go(clock, nowUs + 9e9, 70_000, 1).resets).toBe(0);
		expect(clock.epoch).toBe(epoch + 1);
		expect(clock.playoutUs(0)).toBeGreaterThan(70_000);
	});

	test("is nothing to a clock that has heard of nobody", () => {
		const clock = new PlayoutClock();
		clock.changePath(1e9, 0);
		clock.restart();
		expect([clock.running, clock.epoch]).toEqual([false, 0]);
	});
});

test("what waits of the old path from the cut on goes, and what was before it stays", () => {
	const buffer = new JitterBuffer({ epoch: 0, playoutUs: (ptsUs) => ptsUs + 0.4e6 });
	const push = (index: number, keyFrame: boolean, codec: "avc" | "vp8") => {
		const ptsUs = index * 33_000;
		buffer.push({ track: "video", codec, keyFrame, ptsUs, dtsUs: ptsUs, data: Uint8Array.of(index, 1) }, ptsUs);
	};
	for (let index = 0; index < 10; index += 1) {
		push(index, index === 0, "avc");
	}
	buffer.cutFrom(6 * 33_000);
	for (let index = 6; index < 9; index += 1) {
		push(index, index === 6, "vp8");
	}
	expect(buffer.figures).toMatchObject({ frames: 9, bytes: 18, dropped: 0 });
	const codecs = buffer.popDue(0.4e6, 1e6).map(({ frame, show }) => [frame.data[0], frame.codec, show]);
	expect(codecs).toEqual(Array.from({ length: 9 }, (_, index) => [index, index < 6 ? "avc" : "vp8", true]));
});
