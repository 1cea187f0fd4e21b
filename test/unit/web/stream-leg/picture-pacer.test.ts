import { describe, expect, test } from "vitest";
import { PicturePacer } from "../../../../web/lib/stream-leg/picture-pacer.ts";

const MS = 1_000;
const S = 1_000_000;

/** Times of those pictures of a camera that are sent, in milliseconds. */
function sent(cameraRate: number, rate: number, seconds: number, jitterMs = (_index: number) => 0): number[] {
	const pacer = new PicturePacer(rate);
	return Array.from({ length: cameraRate * seconds }, (_, index) => (index * S) / cameraRate + jitterMs(index) * MS)
		.filter((captureUs) => pacer.judge(captureUs) === "send")
		.map((captureUs) => captureUs / MS);
}

function steps(times: readonly number[]): number[] {
	return times.slice(1).map((time, index) => Math.round(time - (times[index] ?? 0)));
}

describe("PicturePacer", () => {
	test("lets every picture of a camera with the right pace through, though it wavers", () => {
		expect(sent(30, 30, 60, (index) => ((index * 7) % 11) - 5)).toHaveLength(1_800);
	});

	test("takes a camera that shows its pictures on a screen's grid for one with the right pace", () => {
		const grid = (index: number) =>
			(Math.ceil((index * 1_000) / 30 / (1_000 / 60) + 0.3) * 1_000) / 60 - (index * 1_000) / 30;
		const late = (index: number) => grid(index) + (index % 5 === 0 ? 1_000 / 60 : 0);
		expect(sent(30, 30, 20, late).length).toBeGreaterThanOrEqual(598);
	});

	test("lets every picture of a slower camera through", () => {
		expect(sent(25, 30, 10)).toHaveLength(250);
		expect(sent(10, 30, 10)).toHaveLength(100);
	});

	test("takes every second picture of a camera twice as fast", () => {
		const times = sent(60, 30, 10);
		expect(times).toHaveLength(301);
		expect(new Set(steps(times).slice(1))).toEqual(new Set([33]));
	});

	test("takes no more than the pace of a camera of any speed, and nearly as many", () => {
		for (const cameraRate of [31, 48, 50, 59, 75, 120]) {
			const { length } = sent(cameraRate, 30, 60);
			expect(length).toBeLessThanOrEqual(1_802);
			expect(length).toBeGreaterThan(1_700);
		}
	});

	test("keeps to half the pace when it is told to", () => {
		const pacer = new PicturePacer(30);
		pacer.setFrameRate(15);
		const taken = Array.from({ length: 300 }, (_, index) => (index * S) / 30).filter(
			(us) => pacer.judge(us) === "send",
		);
		expect(taken).toHaveLength(151);
	});

	test("never lets time go back or stand still", () => {
		const pacer = new PicturePacer(30);
		expect([1_000, 1_000, 900].map((ms) => pacer.judge(ms * MS))).toEqual(["send", "drop", "drop"]);
		expect(pacer.fills(1_300 * MS, false)).toBe(true);
		expect(pacer.judge(1_290 * MS)).toBe("drop");
	});

	test("sends a picture that came too early when no other comes", () => {
		const pacer = new PicturePacer(30);
		pacer.judge(1_000 * MS);
		expect(pacer.judge(1_010 * MS)).toBe("keep");
		expect(pacer.catchesUp(1_010 * MS, 1_040 * MS)).toBe(false);
		expect(pacer.catchesUp(1_010 * MS, 1_050 * MS)).toBe(true);
		expect(pacer.catchesUp(1_010 * MS, 1_200 * MS)).toBe(false);
	});

	test("repeats a picture that stands still, at first after a quarter of a second and then ten times a second", () => {
		const pacer = new PicturePacer(30);
		pacer.judge(0);
		const filled = Array.from({ length: 100 }, (_, tick) => tick * 10).filter((ms) => pacer.fills(ms * MS, false));
		expect(filled).toEqual([250, 350, 450, 550, 650, 750, 850, 950]);
	});

	test("sends black at once, and ten times a second", () => {
		const pacer = new PicturePacer(30);
		const filled = Array.from({ length: 50 }, (_, tick) => tick * 10).filter((ms) => pacer.fills(ms * MS, true));
		expect(filled).toEqual([0, 100, 200, 300, 400]);
	});
});
