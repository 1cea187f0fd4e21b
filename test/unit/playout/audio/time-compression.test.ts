import { describe, expect, it } from "vitest";
import { PersonAudio } from "../../../../playout/audio/person-audio.ts";
import { randomSource } from "../jitter/traffic.ts";
import { FixedOffset, frequencyOf, largestStep, listen, sineAt } from "./signals.ts";

const RATE = 48_000;
const SECONDS = 6;
const FROM_US = 500_000;
const TO_US = 60_000;
/** The clock's fastest: 250 ms a second, as after a delay that stood at the ceiling. */
const CATCH_UP = 0.25;
const STARTS_US = 1e6;
const ENDS_US = STARTS_US + (FROM_US - TO_US) / CATCH_UP;

/** The sound of `at` (seconds) while the delay comes down from 500 to 60 ms, and how far it was from the clock at worst. */
function compressed(at: (seconds: number) => number): {
	heard: Float32Array;
	worstSkewMs: number;
	person: PersonAudio;
} {
	const person = new PersonAudio();
	const clock = new FixedOffset(FROM_US);
	let [index, worstSkewMs] = [0, 0];
	const heard = listen(person, clock, FROM_US, RATE * SECONDS, 960, (localUs) => {
		const elapsedUs = Math.max(0, localUs - FROM_US - STARTS_US);
		clock.offsetUs = Math.max(TO_US, FROM_US - CATCH_UP * elapsedUs);
		for (; (index / RATE) * 1e6 < localUs; index += 1_024) {
			const block = Float32Array.from({ length: 1_024 }, (_, sample) => at((index + sample) / RATE));
			person.push({ sampleRate: RATE, frames: 1_024, channels: [block] }, Math.round((index / RATE) * 1e3) * 1e3);
		}
		worstSkewMs = Math.max(worstSkewMs, Math.abs(person.figures.skewMs ?? 0));
	});
	return { heard, worstSkewMs, person };
}

function between(samples: Float32Array, fromUs: number, toUs: number): Float32Array {
	return samples.subarray((fromUs / 1e6) * RATE, (toUs / 1e6) * RATE);
}

function power(samples: Float32Array): number {
	return samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
}

/**
 * Speech as a test can make it: a gliding pitch through three resonances, in syllables of a quarter second with some breath between.
 */
function voice(seed: number): (seconds: number) => number {
	const random = randomSource(seed);
	const samples = new Float32Array(RATE * (SECONDS + 1));
	const formants = [600, 1_200, 2_500].map((frequency) => {
		const radius = Math.exp((-Math.PI * 90) / RATE);
		return { a: 2 * radius * Math.cos((2 * Math.PI * frequency) / RATE), b: -radius * radius, y1: 0, y2: 0 };
	});
	let phase = 0;
	for (let index = 0; index < samples.length; index += 1) {
		const seconds = index / RATE;
		phase += (130 + 40 * Math.sin(2 * Math.PI * 0.7 * seconds)) / RATE;
		const pulse = phase >= 1 ? 1 : 0;
		phase -= pulse;
		const loud = Math.max(0, Math.sin(2 * Math.PI * 2 * seconds)) ** 0.5;
		let sum = 0;
		for (const formant of formants) {
			const y = pulse * loud * 0.05 + (random() - 0.5) * 0.0004 + formant.a * formant.y1 + formant.b * formant.y2;
			formant.y2 = formant.y1;
			formant.y1 = y;
			sum += y;
		}
		samples[index] = sum;
	}
	return (seconds) => samples[Math.round(seconds * RATE)] ?? 0;
}

describe("sound that is compressed in time", () => {
	it.each([100, 220, 440, 1_000, 3_000])(
		"keeps the pitch and the loudness of a tone of %d Hz, without a click",
		(frequency) => {
			const { heard, worstSkewMs, person } = compressed((seconds) => sineAt(frequency, seconds));
			const during = between(heard, STARTS_US + 200_000, ENDS_US - 200_000);
			expect(frequencyOf(during)).toBeGreaterThan(frequency * 0.98);
			expect(frequencyOf(during)).toBeLessThan(frequency * 1.02);
			expect(power(during)).toBeGreaterThan(0.122);
			expect(power(during)).toBeLessThan(0.127);
			const steepest = 2 * 0.5 * Math.sin((Math.PI * frequency) / RATE);
			expect(largestStep(heard)).toBeLessThan(steepest * 1.2 + 0.004);
			expect(worstSkewMs).toBeLessThan(30);
			const { skips, concealedSamples, leftOutSamples } = person.figures;
			expect({ skips, concealedSamples }).toEqual({ skips: 0, concealedSamples: 0 });
			expect(leftOutSamples / 48).toBeGreaterThan(400);
		},
	);

	it("keeps a voice as it is: no step steeper than its own, no syllable louder or softer, all of the 440 ms gone", () => {
		for (const seed of [1, 2, 3]) {
			const at = voice(seed);
			const source = Float32Array.from({ length: RATE * SECONDS }, (_, index) => at(index / RATE));
			const { heard, worstSkewMs, person } = compressed(at);
			expect(largestStep(heard)).toBeLessThan(largestStep(source) * 1.15);
			expect(power(between(heard, STARTS_US, ENDS_US)) / power(source)).toBeGreaterThan(0.85);
			expect(power(between(heard, STARTS_US, ENDS_US)) / power(source)).toBeLessThan(1.15);
			expect(worstSkewMs).toBeLessThan(30);
			expect(person.figures.skips).toBe(0);
			expect(Math.abs(person.figures.skewMs ?? 99)).toBeLessThan(2);
		}
	});
});
