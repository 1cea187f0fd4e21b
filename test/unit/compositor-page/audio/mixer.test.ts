import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Limiter } from "../../../../compositor-page/audio/limiter.ts";
import { Mixer } from "../../../../compositor-page/audio/mixer.ts";
import { largestStep, sineAt } from "../../playout/audio/signals.ts";

const CEILING = Math.fround(10 ** (-1 / 20));

function stereo(frames: number, at: (frame: number) => number): Float32Array {
	return Float32Array.from({ length: 2 * frames }, (_, index) => at(index >> 1));
}

function leftOf(samples: Float32Array): Float32Array {
	return samples.filter((_, index) => index % 2 === 0);
}

describe("Limiter", () => {
	it("passes quiet sound unchanged, later by its look-ahead", () => {
		const limiter = new Limiter(48_000);
		const from = stereo(4_800, (frame) => sineAt(997, frame / 48_000));
		const to = new Float32Array(from.length);
		limiter.process(from, 4_800, to);
		expect(limiter.latencySamples).toBe(72);
		expect(to.subarray(2 * 72)).toEqual(from.subarray(0, 2 * (4_800 - 72)));
	});

	it("never exceeds the ceiling, whatever comes in, in whatever steps", () => {
		const sample = fc.oneof(
			fc.double({ min: -8, max: 8, noNaN: true }),
			fc.constantFrom(0, 1e-9, -1, 1, 100, Number.NaN, Number.POSITIVE_INFINITY),
		);
		fc.assert(
			fc.property(
				fc.array(sample, { minLength: 1, maxLength: 1_000 }),
				fc.integer({ min: 1, max: 300 }),
				(values, step) => {
					const limiter = new Limiter(48_000);
					const from = stereo(values.length + 200, (frame) => values[frame] ?? 0);
					for (let frame = 0; frame < values.length + 200; frame += step) {
						const frames = Math.min(step, values.length + 200 - frame);
						const to = new Float32Array(2 * frames);
						limiter.process(from.subarray(2 * frame), frames, to);
						expect(to.every((value) => Math.abs(value) <= CEILING)).toBe(true);
					}
				},
			),
		);
	});

	it("has turned down before the peak is there: the safety clamp has nothing to do", () => {
		const limiter = new Limiter(48_000);
		const from = stereo(
			48_000,
			(frame) => (frame >= 12_000 ? 3 : 0.3) * Math.sin((2 * Math.PI * 440 * frame) / 48_000),
		);
		const to = new Float32Array(from.length);
		limiter.process(from, 48_000, to);
		const heard = leftOf(to);
		expect(Math.max(...heard)).toBeGreaterThan(CEILING * 0.98);
		// Clipped tops would be flat: count samples that sit on the ceiling.
		expect(heard.filter((value) => Math.abs(value) >= CEILING).length).toBeLessThan(0.02 * 48_000);
		expect(largestStep(heard)).toBeLessThan(0.1);
	});

	it("turns down softly ahead of a single peak, not in one step", () => {
		const limiter = new Limiter(48_000);
		const from = stereo(9_600, (frame) => (frame === 5_000 ? 4 : 0.5));
		const to = new Float32Array(from.length);
		limiter.process(from, 9_600, to);
		const heard = leftOf(to);
		expect(heard[5_072]).toBeCloseTo(CEILING, 5);
		expect(largestStep(heard.subarray(72, 5_072))).toBeLessThan(0.01);
		expect(largestStep(heard.subarray(5_073))).toBeLessThan(0.01);
	});

	it("lets go within a few hundred milliseconds", () => {
		const limiter = new Limiter(48_000);
		const from = stereo(48_000, (frame) => (frame < 4_800 ? 2 : 0.5));
		const to = new Float32Array(from.length);
		limiter.process(from, 48_000, to);
		expect(to[2 * 5_000]).toBeLessThan(0.3);
		expect(to[2 * 40_000]).toBeGreaterThan(0.495);
	});
});

describe("Mixer", () => {
	it("sums people, each with a gain", () => {
		const mixer = new Mixer(48_000);
		mixer.setGain("guest", 0.5);
		const out = new Float32Array(2 * 4_800);
		mixer.mix(
			[
				{ id: "host", samples: stereo(4_800, () => 0.25) },
				{ id: "guest", samples: stereo(4_800, () => 0.5) },
			],
			4_800,
			out,
		);
		expect(out[2 * 4_799]).toBeCloseTo(0.5, 6);
	});

	it("ramps a change of gain and a mute, and mutes completely", () => {
		const mixer = new Mixer(48_000);
		const ones = { id: "host", samples: stereo(4_800, () => 0.8) };
		const heard: number[] = [];
		const mix = () => heard.push(...leftOf(mixer.mix([ones], 4_800, new Float32Array(2 * 4_800))));
		mix();
		mixer.setMuted("host", true);
		mix();
		mixer.setGain("host", 0.5);
		mix();
		expect(heard.at(-1)).toBe(0);
		mixer.setMuted("host", false);
		mix();
		expect(heard.at(-1)).toBeCloseTo(0.4, 6);
		expect(largestStep(Float32Array.from(heard.slice(100)))).toBeLessThan(0.8 / 960 + 1e-4);
	});

	it("never clips, with many loud people and changing gains", () => {
		fc.assert(
			fc.property(
				fc.array(fc.array(fc.double({ min: 0, max: 4, noNaN: true }), { minLength: 4, maxLength: 4 }), {
					maxLength: 12,
				}),
				(steps) => {
					const mixer = new Mixer(48_000);
					steps.forEach((gains, step) => {
						const inputs = gains.map((gain, person) => {
							mixer.setGain(`p${person}`, gain);
							const at = (frame: number) => 2 * sineAt(200 * (person + 1), (step * 480 + frame) / 48_000);
							return { id: `p${person}`, samples: stereo(480, at) };
						});
						const out = mixer.mix(inputs, 480, new Float32Array(960));
						expect(out.every((value) => Math.abs(value) <= CEILING)).toBe(true);
					});
				},
			),
		);
	});

	it("gives silence for nobody, and forgets who left", () => {
		const mixer = new Mixer(48_000);
		mixer.setMuted("guest", true);
		mixer.remove("guest");
		expect(mixer.mix([], 960, new Float32Array(1_920).fill(9)).every((value) => value === 0)).toBe(true);
		const out = mixer.mix([{ id: "guest", samples: stereo(960, () => 0.5) }], 960, new Float32Array(1_920));
		expect(out.at(-1)).toBeCloseTo(0.5, 6);
	});

	it.each([-1, 4.5, Number.NaN])("refuses a gain of %d", (gain) => {
		expect(() => new Mixer(48_000).setGain("host", gain)).toThrow("expected a gain from 0 to 4");
	});
});
