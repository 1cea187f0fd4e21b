import { describe, expect, it } from "vitest";
import { PersonAudio } from "../../../../playout/audio/person-audio.ts";
import { PlayoutClock, type Track } from "../../../../playout/jitter/playout-clock.ts";
import { frames, randomSource } from "../jitter/traffic.ts";
import { frequencyOf, largestStep, sine } from "./signals.ts";

const STEP_FRAMES = 1_600;
const STEP_US = (STEP_FRAMES / 48_000) * 1e6;
const TONE_HZ = 300;
const NATURAL_STEP = 0.5 * 2 * Math.sin((Math.PI * TONE_HZ) / 48_000);
const PULLED_AFTER_US = 2_000;

interface Heard {
	readonly samples: Float32Array;
	readonly worstSkewMs: number;
	readonly person: PersonAudio;
	readonly clock: PlayoutClock;
	readonly concealedFromFiveSeconds: number;
}

/** A tone over a network into a clock and a person, pulled as the pipeline does: each step just after its end. */
function playOver(
	seconds: number,
	delayUs: (track: Track, sourceUs: number) => number,
	driftPpm = 0,
	keepSeconds = seconds,
): Heard {
	const clock = new PlayoutClock();
	const person = new PersonAudio();
	const sent = frames({ seconds, delayUs, driftPpm, sourceStartUs: 7e6 });
	const kept: Float32Array[] = [];
	const out = new Float32Array(2 * STEP_FRAMES);
	let [next, sounds, worstSkewMs, concealedAtFive] = [0, 0, 0, 0];
	for (let step = 0; step * STEP_US < (seconds - 1) * 1e6; step += 1) {
		const startUs = step * STEP_US;
		const nowUs = startUs + STEP_US + PULLED_AFTER_US;
		for (let frame = sent[next]; frame !== undefined && frame.arrivalUs <= nowUs; frame = sent[next]) {
			next += 1;
			clock.onArrival(frame);
			if (frame.track === "audio") {
				person.push(sine(44_100, TONE_HZ, sounds, 1_024), frame.dtsUs);
				sounds += 1_024;
			}
		}
		clock.advance(nowUs);
		person.pull(startUs, STEP_FRAMES, clock, out);
		if (startUs < 5e6) {
			concealedAtFive = person.figures.concealedSamples;
		} else {
			worstSkewMs = Math.max(worstSkewMs, Math.abs(person.figures.skewMs ?? 0));
		}
		if (startUs >= (seconds - keepSeconds) * 1e6) {
			kept.push(out.filter((_, index) => index % 2 === 0));
		}
	}
	const samples = new Float32Array(kept.length * STEP_FRAMES);
	kept.forEach((block, index) => {
		samples.set(block, index * STEP_FRAMES);
	});
	const concealedFromFiveSeconds = person.figures.concealedSamples - concealedAtFive;
	return { samples, worstSkewMs, person, clock, concealedFromFiveSeconds };
}

describe("sound over a network", () => {
	it("is whole on a clean feed whose sound is interleaved a picture late", () => {
		const heard = playOver(20, (track) => (track === "audio" ? 25_000 : 0));
		expect(heard.person.figures.concealedSamples).toBe(0);
		expect(heard.person.figures.skips).toBe(0);
		expect(heard.worstSkewMs).toBeLessThan(5);
		expect(heard.clock.figures.delayMs).toBeLessThan(40);
		expect(largestStep(heard.samples)).toBeLessThan(NATURAL_STEP * 1.2);
	});

	it("is nearly whole with 50 ms of jitter, and lips match", () => {
		const random = randomSource(3);
		const heard = playOver(60, () => random() * 50_000);
		expect(heard.concealedFromFiveSeconds).toBeLessThan(0.002 * 55 * 48_000);
		expect(heard.worstSkewMs).toBeLessThan(25);
		expect(largestStep(heard.samples)).toBeLessThan(NATURAL_STEP * 1.6);
	});

	it("adapts to stalls of 200 ms every two seconds until they are hardly heard", () => {
		const heard = playOver(60, (_, us) => Math.max(0, 200_000 - (us % 2e6)));
		expect(heard.concealedFromFiveSeconds).toBeLessThan(0.005 * 55 * 48_000);
		expect(heard.worstSkewMs).toBeLessThan(30);
		expect(heard.clock.figures.delayMs).toBeGreaterThan(190);
	});

	it("comes back in step after a stall of 1.5 s", () => {
		const heard = playOver(20, (_, us) => (us >= 8e6 && us < 9.5e6 ? 9.5e6 - us : 0), 0, 5);
		expect(heard.clock.figures.resets).toBe(0);
		expect(heard.clock.figures.delayMs).toBeLessThan(30);
		expect(heard.person.figures.concealedSamples).toBeLessThan(48_000 * 1.7);
		expect(Math.abs(heard.person.figures.skewMs ?? 99)).toBeLessThan(2);
		expect(frequencyOf(heard.samples)).toBeCloseTo(TONE_HZ, 0);
		expect(largestStep(heard.samples)).toBeLessThan(NATURAL_STEP * 1.2);
	});

	it.each([200, -200])("stays in step with %d ppm of drift by resampling alone", (ppm) => {
		const heard = playOver(300, () => 0, ppm, 30);
		expect(heard.concealedFromFiveSeconds).toBe(0);
		expect(heard.worstSkewMs).toBeLessThan(5);
		expect(heard.person.figures.skips).toBe(0);
		expect(Math.abs(heard.person.figures.ratePpm)).toBeLessThan(1_000);
		expect(largestStep(heard.samples)).toBeLessThan(NATURAL_STEP * 1.05);
	});
});
