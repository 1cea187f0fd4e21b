import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PersonAudio } from "../../../../playout/audio/person-audio.ts";
import { FixedOffset, frequencyOf, largestStep, listen, sine, sineSnrDb } from "./signals.ts";

/** Steepest step of a sine of amplitude 0.5 at 48 kHz. */
function naturalStep(frequency: number): number {
	return 0.5 * 2 * Math.sin((Math.PI * frequency) / 48_000);
}

/** Pushes a sine in AAC-sized blocks, with times rounded to FLV's milliseconds, as far as source time `untilUs`. */
class SineSource {
	readonly #person: PersonAudio;
	readonly #rate: number;
	readonly #frequency: number;
	readonly #startUs: number;
	#index = 0;

	constructor(person: PersonAudio, rate: number, frequency: number, startUs = 0) {
		this.#person = person;
		this.#rate = rate;
		this.#frequency = frequency;
		this.#startUs = startUs;
	}

	pushUntil(untilUs: number, lostUs: readonly [number, number] = [0, 0]): void {
		for (;;) {
			const ptsUs = this.#startUs + (this.#index / this.#rate) * 1e6;
			if (ptsUs + (1024 / this.#rate) * 1e6 > untilUs) {
				return;
			}
			if (ptsUs < lostUs[0] || ptsUs >= lostUs[1]) {
				this.#person.push(sine(this.#rate, this.#frequency, this.#index, 1024), Math.round(ptsUs / 1_000) * 1_000);
			}
			this.#index += 1024;
		}
	}
}

describe("PersonAudio", () => {
	it.each([
		[44_100, 1_000],
		[44_100, 10_000],
		[48_000, 1_000],
		[48_000, 15_000],
		[32_000, 5_000],
		[16_000, 3_000],
		[96_000, 1_000],
		[8_000, 440],
	])("resamples %d Hz with a sine of %d Hz at 60 dB or better", (rate, frequency) => {
		const person = new PersonAudio();
		// Exact times: rounding to milliseconds is the subject of another test.
		for (let index = 0; index < rate * 1.5; index += 1_024) {
			person.push(sine(rate, frequency, index, 1_024), (index / rate) * 1e6);
		}
		const heard = listen(person, new FixedOffset(0), 100_000, 48_000);
		const snr = sineSnrDb(heard.subarray(2_400), frequency);
		console.log(`resampling ${rate} Hz, sine ${frequency} Hz: ${snr.toFixed(1)} dB`);
		expect(snr).toBeGreaterThan(60);
		expect(person.figures.concealedSamples).toBe(0);
		expect(Math.abs(person.figures.skewMs ?? 9)).toBeLessThan(0.01);
	});

	it("turns what it hears into silence and back without counting anything before the first sound", () => {
		const person = new PersonAudio();
		expect(listen(person, new FixedOffset(0), 0, 960).every((sample) => sample === 0)).toBe(true);
		person.push(sine(48_000, 440, 0, 4_800), 1_000_000);
		const heard = listen(person, new FixedOffset(0), 0, 48_000 + 4_800);
		expect(heard.subarray(0, 48_000).every((sample) => sample === 0)).toBe(true);
		expect(heard.subarray(48_000).some((sample) => Math.abs(sample) > 0.4)).toBe(true);
		expect(person.figures.concealedSamples).toBe(0);
		expect(largestStep(heard)).toBeLessThan(naturalStep(440) * 1.2);
	});

	it("plays at the place the clock says, to a sample", () => {
		const person = new PersonAudio();
		const click = new Float32Array(48_000);
		click[24_000] = 1;
		person.push({ sampleRate: 48_000, frames: 48_000, channels: [click] }, 5_000_000);
		const heard = listen(person, new FixedOffset(70_000), 5_070_000, 47_040);
		expect(heard.indexOf(Math.max(...heard))).toBe(24_000);
	});

	it("takes times rounded to milliseconds for continuous sound", () => {
		const person = new PersonAudio();
		const source = new SineSource(person, 44_100, 997);
		const clock = new FixedOffset(60_000);
		const heard = listen(person, clock, 60_000, 480_000, 960, (localUs) => source.pushUntil(localUs));
		expect(person.figures.concealedSamples).toBe(0);
		expect(person.figures.skips + person.figures.leftOutSamples + person.figures.repeatedSamples).toBe(0);
		expect(frequencyOf(heard.subarray(48_000))).toBeCloseTo(997, 1);
		expect(largestStep(heard)).toBeLessThan(naturalStep(997) * 1.02);
	});

	it.each([200, -200])("follows %d ppm of drift by resampling alone, within a millisecond", (ppm) => {
		const person = new PersonAudio();
		const clock = new FixedOffset(100_000);
		const source = new SineSource(person, 44_100, 500);
		const heard = listen(person, clock, 100_000, 48_000 * 60, 960, (localUs) => {
			clock.offsetUs = 100_000 + (localUs * ppm) / 1e6;
			source.pushUntil(localUs);
		});
		const { figures } = person;
		expect(Math.abs(figures.skewMs ?? 9)).toBeLessThan(1);
		expect(Math.abs(figures.ratePpm + ppm)).toBeLessThan(100);
		expect(figures.concealedSamples + figures.skips + figures.leftOutSamples + figures.repeatedSamples).toBe(0);
		expect(largestStep(heard)).toBeLessThan(naturalStep(500) * 1.02);
	});

	it("follows a sound card that runs 300 ppm off its own source's times, without ever hearing a gap", () => {
		const person = new PersonAudio();
		let index = 0;
		const ptsUs = () => (index / 48_000) * 1e6 * 1.0003;
		const heard = listen(person, new FixedOffset(80_000), 80_000, 48_000 * 60, 960, (localUs) => {
			while (ptsUs() + 22_000 < localUs) {
				person.push(sine(48_000, 400, index, 1_024), Math.round(ptsUs() / 1_000) * 1_000);
				index += 1_024;
			}
		});
		const { figures } = person;
		expect(figures.concealedSamples + figures.skips + figures.leftOutSamples + figures.repeatedSamples).toBe(0);
		expect(Math.abs(figures.skewMs ?? 9)).toBeLessThan(1);
		expect(largestStep(heard)).toBeLessThan(naturalStep(400) * 1.02);
	});

	it.each([
		{ behindMs: 11, share: 0.1 },
		{ behindMs: 75, share: 0.3 },
	])("leaves out no more than $share of the sound when $behindMs ms behind, and catches up", ({ behindMs, share }) => {
		const person = new PersonAudio();
		const source = new SineSource(person, 48_000, 440);
		const clock = new FixedOffset(200_000);
		const leftOutMs: number[] = [];
		listen(person, clock, 200_000, 96_000, 960, (localUs) => {
			clock.offsetUs = 200_000 - (localUs < 1e6 ? 0 : behindMs * 1_000);
			source.pushUntil(localUs);
			leftOutMs.push(person.figures.leftOutSamples / 48);
		});
		const longestPieceMs = 15;
		leftOutMs.forEach((now, step) => {
			const aFifthOfASecondAgo = leftOutMs[Math.max(0, step - 10)] ?? 0;
			const stepMs = 20;
			expect(now - aFifthOfASecondAgo).toBeLessThanOrEqual((200 + stepMs) * share + longestPieceMs);
		});
		expect(leftOutMs.at(-1)).toBeGreaterThan(behindMs - 8);
		expect(person.figures.skips).toBe(0);
	});

	it("fades out when nothing came, counts it, and fades in after, without a click", () => {
		const person = new PersonAudio();
		const source = new SineSource(person, 48_000, 440);
		const clock = new FixedOffset(50_000);
		const heard = listen(person, clock, 50_000, 96_000, 960, (localUs) => {
			if (localUs < 500_000 || localUs > 800_000) {
				source.pushUntil(localUs);
			}
		});
		// Sent until 0.5 s, which lies at 0.55 s; the next comes at 0.8 s.
		const missing = heard.subarray(Math.round(0.53 * 48_000), Math.round(0.73 * 48_000));
		expect(missing.every((sample) => sample === 0)).toBe(true);
		expect(person.figures.concealedSamples).toBeGreaterThan(0.24 * 48_000);
		expect(person.figures.concealedSamples).toBeLessThan(0.32 * 48_000);
		expect(largestStep(heard)).toBeLessThan(naturalStep(440) * 1.5);
		expect(frequencyOf(heard.subarray(60_000))).toBeCloseTo(440, 0);
		expect(Math.abs(person.figures.skewMs ?? 9)).toBeLessThan(1);
	});

	it("does not call an ended feed concealment for ever", () => {
		const person = new PersonAudio();
		person.push(sine(48_000, 440, 0, 48_000), 0);
		listen(person, new FixedOffset(0), 0, 48_000 * 5);
		expect(person.figures.concealedSamples).toBe(48_000);
		expect(person.figures.skewMs).toBeUndefined();
	});

	it("puts silence into a gap of the source's own time, counted once", () => {
		const person = new PersonAudio();
		const source = new SineSource(person, 48_000, 440);
		const clock = new FixedOffset(300_000);
		const heard = listen(person, clock, 300_000, 96_000, 960, (localUs) => source.pushUntil(localUs, [1e6, 1.2e6]));
		expect(person.figures.concealedSamples).toBeGreaterThan(0.17 * 48_000);
		expect(person.figures.concealedSamples).toBeLessThan(0.23 * 48_000);
		expect(heard.subarray(1.05 * 48_000, 1.15 * 48_000).every((sample) => Math.abs(sample) < 1e-6)).toBe(true);
		expect(largestStep(heard)).toBeLessThan(naturalStep(440) * 1.5);
	});

	it.each([
		["longer", 100_000, "repeatedSamples", "leftOutSamples"],
		["shorter", -100_000, "leftOutSamples", "repeatedSamples"],
	] as const)(
		"follows a delay that grows %s by 100 ms a second, keeping pitch and lips",
		(_, changeUs, used, unused) => {
			for (const frequency of [120, 440, 1_000]) {
				const person = new PersonAudio();
				const source = new SineSource(person, 48_000, frequency);
				const clock = new FixedOffset(200_000);
				let worstSkewMs = 0;
				const heard = listen(person, clock, 200_000, 48_000 * 5, 960, (localUs) => {
					clock.offsetUs = 200_000 + changeUs * Math.min(1, Math.max(0, localUs / 1e6 - 1));
					source.pushUntil(localUs);
					worstSkewMs = Math.max(worstSkewMs, Math.abs(person.figures.skewMs ?? 0));
				});
				const { figures } = person;
				expect(figures.concealedSamples + figures.skips + figures[unused]).toBe(0);
				expect(figures[used]).toBeGreaterThan(0.07 * 48_000);
				expect(figures[used]).toBeLessThan(0.115 * 48_000);
				expect(worstSkewMs).toBeLessThan(25);
				expect(Math.abs(figures.skewMs ?? 9)).toBeLessThan(1);
				expect(largestStep(heard)).toBeLessThan(naturalStep(frequency) * 1.15 + 0.004);
				expect(frequencyOf(heard.subarray(48_000, 96_000))).toBeGreaterThan(frequency * 0.97);
				expect(frequencyOf(heard.subarray(48_000, 96_000))).toBeLessThan(frequency * 1.03);
				// The loudness is kept: in step, the two sides of a crossfade do not cancel out.
				const power = heard.subarray(48_000, 96_000).reduce((sum, sample) => sum + sample * sample, 0) / 48_000;

				expect(power).toBeGreaterThan(0.1245);
			}
		},
	);

	it("jumps with the clock, crossfaded", () => {
		const person = new PersonAudio();
		const source = new SineSource(person, 44_100, 440);
		const clock = new FixedOffset(450_000);
		const heard = listen(person, clock, 450_000, 96_000, 960, (localUs) => {
			clock.offsetUs = localUs > 1.4e6 ? 60_000 : 450_000;
			source.pushUntil(localUs);
		});
		expect(person.figures.skips).toBe(1);
		expect(person.figures.concealedSamples).toBe(0);
		expect(Math.abs(person.figures.skewMs ?? 9)).toBeLessThan(1);
		expect(largestStep(heard)).toBeLessThan(naturalStep(440) + 0.01);
	});

	it("goes on without a click when the source starts over at zero or changes its rate", () => {
		for (const [rate, startUs] of [
			[48_000, 0],
			[44_100, 2_100_000],
		] as const) {
			const person = new PersonAudio();
			const first = new SineSource(person, 48_000, 440, 1_000_000);
			const second = new SineSource(person, rate, 440, startUs);
			const clock = new FixedOffset(-1_000_000);
			const heard = listen(person, clock, 0, 96_000, 960, (localUs) => {
				if (localUs < 1e6) {
					first.pushUntil(localUs + 1_100_000);
				} else {
					clock.offsetUs = startUs === 0 ? 1_000_000 : -1_000_000;
					second.pushUntil(clock.sourceUs(localUs) + 200_000);
				}
			});
			expect(heard.subarray(80_000).some((sample) => Math.abs(sample) > 0.45)).toBe(true);
			expect(largestStep(heard)).toBeLessThan(naturalStep(440) * 1.5);
		}
	});

	it("mixes mono to both sides and surround down without clipping, and refuses nine channels", () => {
		const ones = new Float32Array(4_800).fill(1);
		for (let channels = 1; channels <= 8; channels += 1) {
			const person = new PersonAudio();
			person.push({ sampleRate: 48_000, frames: 4_800, channels: Array(channels).fill(ones) }, 0);
			const out = new Float32Array(2 * 2_400);
			person.pull(0, 2_400, new FixedOffset(0), out);
			expect(out[4_000]).toBeCloseTo(1, 5);
			expect(out[4_001]).toBeCloseTo(1, 5);
		}
		expect(() =>
			new PersonAudio().push({ sampleRate: 48_000, frames: 4_800, channels: Array(9).fill(ones) }, 0),
		).toThrow("expected 1 to 8 channels, got 9");
	});

	it("never clicks and never gives anything but numbers, whatever comes when", () => {
		const step = fc.record({
			pushMs: fc.integer({ min: 0, max: 60 }),
			holeMs: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.integer({ min: -300, max: 1_500 })),
			offsetMs: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: -60, max: 60 })),
			frames: fc.integer({ min: 1, max: 2_400 }),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 80 }), fc.constantFrom(44_100, 48_000, 16_000), (steps, rate) => {
				const person = new PersonAudio();
				const clock = new FixedOffset(0);
				let [localUs, ptsUs, index, last] = [0, -50_000, 0, 0];
				for (const each of steps) {
					const frames = Math.round((each.pushMs * rate) / 1_000);
					ptsUs += each.holeMs * 1_000;
					person.push(sine(rate, 300, index, frames), ptsUs);
					ptsUs += (frames / rate) * 1e6;
					index += frames;
					clock.offsetUs += each.offsetMs * 1_000;
					const out = person.pull(localUs, each.frames, clock, new Float32Array(2 * each.frames));
					localUs += (each.frames / 48_000) * 1e6;
					for (let sample = 0; sample < 2 * each.frames; sample += 2) {
						const value = out[sample] ?? Number.NaN;
						// Two sounds may be fading into each other: twice the natural step, and the slope of the fades.
						expect(Math.abs(value - last)).toBeLessThan(2 * naturalStep(300) + 2 / 240);
						last = value;
					}
				}
				expect(person.figures.bufferedMs).toBeLessThan(3_000);
			}),
			{ numRuns: 200 },
		);
	});
});
