import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SoundTrack, type Speaker } from "../../../../compositor-page/program/sound-track.ts";
import { usToSamples } from "../../../../media/units.ts";

const RATE = 48_000;
const START_US = 777_777;

interface Pull {
	readonly startUs: number;
	readonly frames: number;
}

/** Notes what is asked of it, and gives `level` on both sides. */
function speaker(id: string, level = 0): Speaker & { readonly pulls: Pull[] } {
	const pulls: Pull[] = [];
	return {
		id,
		clock: { sourceUs: (localUs) => localUs },
		pulls,
		audio: {
			pull(startUs, frames, _clock, out) {
				pulls.push({ startUs, frames });
				return out.fill(level, 0, 2 * frames);
			},
		},
	};
}

function track(): { track: SoundTrack; blocks: number[]; samples: number[] } {
	const blocks: number[] = [];
	const samples: number[] = [];
	const sound = new SoundTrack({
		startUs: START_US,
		onSamples: (block, frames) => {
			blocks.push(frames);
			samples.push(...block.subarray(0, 2 * frames));
		},
	});
	return { track: sound, blocks, samples };
}

describe("SoundTrack", () => {
	test("gives all sound due before a time, and none twice", () => {
		const { track: sound, blocks } = track();
		sound.mixUntil(START_US, []);
		expect(blocks).toEqual([]);
		sound.mixUntil(START_US + 33_333, []);
		sound.mixUntil(START_US + 33_333, []);
		sound.mixUntil(START_US + 10_000, []);
		expect(blocks).toEqual([960, 1_599 - 960]);
		sound.mixUntil(START_US + 1_000_000, []);
		expect(blocks.reduce((sum, frames) => sum + frames, 0)).toBe(RATE);
		expect(Math.max(...blocks)).toBe(960);
	});

	test("asks each person for intervals that follow each other without gap or overlap, at any pace", () => {
		fc.assert(
			fc.property(fc.array(fc.integer({ min: -50_000, max: 400_000 }), { minLength: 1, maxLength: 40 }), (stepsUs) => {
				const { track: sound, blocks, samples } = track();
				const people = [speaker("host"), speaker("guest")];
				let nowUs = START_US;
				let latestUs = START_US;
				for (const stepUs of stepsUs) {
					nowUs += stepUs;
					latestUs = Math.max(latestUs, nowUs);
					sound.mixUntil(nowUs, people);
				}
				for (const { pulls } of people) {
					let next = 0;
					for (const { startUs, frames } of pulls) {
						expect(startUs).toBeCloseTo(START_US + (next * 1e6) / RATE, 3);
						next += frames;
					}
					expect(next).toBe(Math.floor(((latestUs - START_US) * RATE) / 1e6));
					expect(pulls.map(({ frames }) => frames)).toEqual(blocks);
				}
				expect(samples.length).toBe(2 * blocks.reduce((sum, frames) => sum + frames, 0));
			}),
		);
	});

	test("mixes people at their levels, somebody who comes later from then on", () => {
		const { track: sound, samples } = track();
		sound.applyLevels([
			{ id: "host", name: "Ada", gain: 0.5, expected: true },
			{ id: "guest", name: "Bo", gain: 1, expected: true },
		]);
		const host = speaker("host", 0.2);
		sound.mixUntil(START_US + 500_000, [host]);
		sound.mixUntil(START_US + 1_000_000, [host, speaker("guest", 0.3)]);
		const at = (us: number) => samples[2 * (usToSamples(us, RATE) + sound.latencySamples)] ?? Number.NaN;
		expect(at(400_000)).toBeCloseTo(0.1, 3);
		expect(at(900_000)).toBeCloseTo(0.4, 3);
	});

	test("goes on in silence when there is nobody", () => {
		const { track: sound, samples } = track();
		sound.mixUntil(START_US + 100_000, []);
		expect(samples).toHaveLength(2 * 4_800);
		expect(samples.every((sample) => sample === 0)).toBe(true);
	});
});
