import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { US_PER_SECOND } from "../../../../media/units.ts";
import { PictureQueue, picturesToAdvance } from "../../../../playout/person/picture-queue.ts";
import { randomSource } from "../jitter/traffic.ts";
import { FakeFrame } from "./fake-frame.ts";

const OUTPUT_RATE = 30;
const OUTPUT_INTERVAL_US = US_PER_SECOND / OUTPUT_RATE;
/** As in the pipeline: decoded this long before it is due. */
const DECODE_LEAD_US = 150_000;

interface Showing {
	/** Number of the source picture on show at each output step; -1 for none. */
	readonly shown: readonly number[];
	readonly frames: readonly FakeFrame[];
	readonly queue: PictureQueue;
	/** Play-out time of the picture on show minus the step's, for steps with a new one. */
	readonly errorsUs: readonly number[];
}

interface Source {
	readonly rate: number;
	/** Play-out time of the first picture after the first output step. */
	readonly phaseUs: number;
	readonly steps: number;
	/** Added to each picture's time, such as rounding. */
	readonly noiseUs?: (index: number) => number;
}

/** Shows a source at 30 pictures a second, each picture there a decode lead before it is due. */
function show(source: Source): Showing {
	const queue = new PictureQueue(OUTPUT_RATE);
	const frames: FakeFrame[] = [];
	const shown: number[] = [];
	const errorsUs: number[] = [];
	const ptsUs = (index: number) =>
		source.phaseUs + (index * US_PER_SECOND) / source.rate + (source.noiseUs?.(index) ?? 0);
	for (let step = 0; step < source.steps; step += 1) {
		const dueUs = step * OUTPUT_INTERVAL_US;
		while (ptsUs(frames.length) <= dueUs + DECODE_LEAD_US) {
			const frame = new FakeFrame();
			queue.push({ frame: frame.asVideoFrame, ptsUs: ptsUs(frames.length), source: 0, arrivalUs: 0 });
			frames.push(frame);
		}
		if (queue.advance(dueUs, (pts) => pts) && queue.shown !== undefined) {
			errorsUs.push(queue.shown.ptsUs - dueUs);
		}
		shown.push(frames.findIndex((frame) => frame.asVideoFrame === queue.shown?.frame));
	}
	return { shown, frames, queue, errorsUs };
}

/** Steps of the source's pictures from one output picture to the next: 0 is a repeat, 2 one left out. */
function stepsOf({ shown }: Showing): number[] {
	const visible = shown.filter((index) => index >= 0);
	return visible.slice(1).map((index, position) => index - (visible[position] ?? 0));
}

function milliseconds(seed: number): (index: number) => number {
	const random = randomSource(seed);
	const noise = Array.from({ length: 2_000 }, () => random() * 2_000 - 1_000);
	return (index) => noise[index % noise.length] ?? 0;
}

describe("picturesToAdvance", () => {
	const dueUs = 7_000_000;
	const advance = (waiting: readonly number[], shown?: number) =>
		picturesToAdvance(
			waiting.map((us) => dueUs + us),
			shown === undefined ? undefined : dueUs + shown,
			dueUs,
			OUTPUT_INTERVAL_US,
		);

	test.each([
		{ what: "nothing waits", waiting: [], taken: 0 },
		{ what: "the first is more than half an interval away", waiting: [16_667], taken: 0 },
		{ what: "the first is half an interval away", waiting: [16_666], taken: 1 },
		{ what: "the second is nearer", waiting: [-18_000, 15_333], taken: 2 },
		{ what: "the second is farther", waiting: [-15_333, 18_000], taken: 1 },
		{ what: "all are past", waiting: [-133_000, -100_000, -66_000], taken: 3 },
	])("takes $taken at first when $what", ({ waiting, taken }) => {
		expect(advance(waiting)).toBe(taken);
	});

	test.each([
		{ what: "the next is a quarter further off than half", shown: -8_334, waiting: [25_000], taken: 1 },
		{ what: "the next is further still", shown: -8_333, waiting: [25_001], taken: 0 },
		{ what: "pictures lie as those before", shown: -57_333, waiting: [-24_000, 9_333], taken: 1 },
		{ what: "a picture has become too late", shown: -58_333, waiting: [-25_001, 8_332], taken: 2 },
		{ what: "the source has twice the rate", shown: -25_000, waiting: [-8_333, 8_333, 25_000], taken: 2 },
		{ what: "the one on show is long past", shown: -2_000_000, waiting: [-30_000, 3_000, 36_000], taken: 2 },
	])("takes $taken in mid-stream when $what", ({ waiting, shown, taken }) => {
		expect(advance(waiting, shown)).toBe(taken);
	});
});

describe("PictureQueue", () => {
	const phases = Array.from({ length: 67 }, (_, index) => (index * OUTPUT_INTERVAL_US) / 67);

	test("shows a source of the output's rate without a repeat or a gap at any phase, though its times are rounded", () => {
		for (const phaseUs of phases) {
			for (let seed = 1; seed <= 5; seed += 1) {
				const steps = stepsOf(show({ rate: 30, phaseUs, steps: 900, noiseUs: milliseconds(seed) }));
				expect(new Set(steps)).toEqual(new Set([1]));
			}
		}
	});

	test("takes one step for a phase that creeps past by a whole interval, not many at the boundary", () => {
		for (const [rate, odd] of [
			[29.97, 0],
			[30.03, 2],
		] as const) {
			// 100 s: three pictures too few, or three too many.
			const steps = stepsOf(show({ rate, phaseUs: 0, steps: 3_000, noiseUs: milliseconds(7) }));
			const uneven = steps.filter((step) => step !== 1);
			expect(new Set(uneven)).toEqual(new Set([odd]));
			expect(uneven.length).toBeGreaterThanOrEqual(2);
			expect(uneven.length).toBeLessThanOrEqual(4);
		}
	});

	test("shows every picture of a slower source, one step in six a repeat for 25 a second", () => {
		for (const phaseUs of phases) {
			const showing = show({ rate: 25, phaseUs, steps: 600, noiseUs: milliseconds(3) });
			const steps = stepsOf(showing);
			expect(Math.max(...steps)).toBe(1);
			expect(showing.queue.dropped).toBe(0);
			for (let first = 0; first + 60 <= steps.length; first += 1) {
				const repeats = steps.slice(first, first + 60).filter((step) => step === 0).length;
				expect(repeats).toBeGreaterThanOrEqual(9);
				expect(repeats).toBeLessThanOrEqual(11);
			}
		}
	});

	test("shows every second picture of a source of twice the rate at any phase, though its times are rounded", () => {
		for (const phaseUs of phases) {
			for (let seed = 1; seed <= 5; seed += 1) {
				const showing = show({ rate: 60, phaseUs: phaseUs / 2, steps: 600, noiseUs: milliseconds(seed) });
				expect(new Set(stepsOf(showing))).toEqual(new Set([2]));
			}
		}
	});

	test("stays within an interval of each picture's time, in order, and closes each exactly once", () => {
		fc.assert(
			fc.property(
				fc.double({ min: 5, max: 120, noNaN: true }),
				fc.double({ min: -0.1, max: 0.1, noNaN: true }),
				fc.integer({ min: 1, max: 1e6 }),
				(rate, phaseSeconds, seed) => {
					const phaseUs = phaseSeconds * US_PER_SECOND;
					const showing = show({ rate, phaseUs, steps: 120, noiseUs: milliseconds(seed) });
					expect(Math.min(...stepsOf(showing))).toBeGreaterThanOrEqual(0);
					expect(Math.max(...showing.errorsUs)).toBeLessThanOrEqual(OUTPUT_INTERVAL_US * 0.75);
					const open = showing.frames.filter((frame) => frame.closed === 0);
					expect(open).toHaveLength(showing.queue.waiting + (showing.queue.shown === undefined ? 0 : 1));
					showing.queue.close();
					showing.queue.close();
					expect(showing.frames.map((frame) => frame.closed)).toEqual(showing.frames.map(() => 1));
				},
			),
		);
	});

	test("counts and closes the oldest when more wait than fit, and keeps the newest", () => {
		const queue = new PictureQueue(OUTPUT_RATE);
		const frames = Array.from({ length: 40 }, () => new FakeFrame());
		frames.forEach((frame, index) => {
			queue.push({ frame: frame.asVideoFrame, ptsUs: index * 1_000, source: 0, arrivalUs: 0 });
		});
		expect(queue.waiting).toBe(16);
		expect(queue.dropped).toBe(24);
		expect(frames.map((frame) => frame.closed)).toEqual(frames.map((_, index) => (index < 24 ? 1 : 0)));
	});

	test("keeps the picture on show when what waits is let go of, until a new one takes its place", () => {
		const queue = new PictureQueue(OUTPUT_RATE);
		const [first, second, third] = [new FakeFrame(), new FakeFrame(), new FakeFrame()];
		queue.push({ frame: first.asVideoFrame, ptsUs: 0, source: 0, arrivalUs: 0 });
		queue.push({ frame: second.asVideoFrame, ptsUs: 33_333, source: 0, arrivalUs: 0 });
		expect(queue.advance(0, (pts) => pts)).toBe(true);
		queue.clearWaiting();
		expect([first.closed, second.closed, queue.waiting, queue.dropped]).toEqual([0, 1, 0, 1]);
		expect(queue.advance(33_333, (pts) => pts)).toBe(false);
		expect(queue.shown?.frame).toBe(first);
		queue.push({ frame: third.asVideoFrame, ptsUs: 66_667, source: 0, arrivalUs: 0 });
		expect(queue.advance(66_667, (pts) => pts)).toBe(true);
		expect([first.closed, third.closed]).toEqual([1, 0]);
	});
});
