import { describe, expect, test } from "vitest";
import { PersonAudio } from "../../../../playout/audio/person-audio.ts";
import { FixedOffset, largestStep, listen, sine, sineAt } from "./signals.ts";

const RATE = 48_000;
const PACKET = 960;
const PACKET_US = 20_000;
const HZ = 440;
/** Steepest step of the tone itself. */
const NATURAL = 0.5 * 2 * Math.sin((Math.PI * HZ) / RATE);
/** A click is a step that no sound around it has: a break in the wave is up to 1.0 high, this is 0.04. */
const NO_CLICK = NATURAL * 1.4;
const DELAY_US = 60_000;
const LOST_FROM = 25;

/** A tone by packets of 20 ms, of which some are lost; each comes 20 ms after it was spoken, what comes after the hole `lateUs` later. */
function hearWithHole(packets: number, lateUs = 0): { heard: Float32Array; concealed: number } {
	const person = new PersonAudio();
	let next = 0;
	const heard = listen(person, new FixedOffset(DELAY_US), 0, 2 * RATE, PACKET, (localUs) => {
		for (; arrivalUs(next) <= localUs; next += 1) {
			if (next < LOST_FROM || next >= LOST_FROM + packets) {
				person.push(sine(RATE, HZ, next * PACKET, PACKET), next * PACKET_US);
			}
		}
	});
	return { heard, concealed: person.figures.concealedSamples };

	function arrivalUs(index: number): number {
		const isFirstAfter = index === LOST_FROM + packets;
		return (index + 1) * PACKET_US + (isFirstAfter ? lateUs : 0);
	}
}

describe.each([1, 3, 20])("a hole of %i packets", (packets) => {
	const holeStart = (LOST_FROM * PACKET_US + DELAY_US) * (RATE / 1e6);
	const holeEnd = holeStart + packets * PACKET;

	test.each([0, 45_000])("is filled without a click, where what comes after it is %i µs late", (lateUs) => {
		const { heard } = hearWithHole(packets, lateUs);
		expect(largestStep(heard)).toBeLessThan(NO_CLICK);
	});

	test("leaves everything around it as it was, and is counted", () => {
		const { heard, concealed } = hearWithHole(packets);
		const fades = 0.012 * RATE;
		for (const [from, to] of [
			[4_800, holeStart],
			[holeEnd + fades, 90_000],
		] as const) {
			for (let at = Math.ceil(from); at < to; at += 97) {
				expect(heard[at]).toBeCloseTo(sineAt(HZ, at / RATE - DELAY_US / 1e6), 1);
			}
		}
		expect(concealed).toBeGreaterThan(packets * PACKET - 480);
		expect(concealed).toBeLessThan(packets * PACKET + 480);
	});

	test("fades within 10 ms, and is silence from there on", () => {
		const { heard } = hearWithHole(packets);
		const silent = heard.subarray(Math.ceil(holeStart + 0.012 * RATE), Math.floor(holeEnd - 1));
		expect(Math.max(...silent.map(Math.abs))).toBeLessThan(0.001);
		expect(heard.subarray(holeStart, holeStart + 48).some((sample) => Math.abs(sample) > 0.05)).toBe(true);
	});
});

test("sound that is joined by another decoder's, a few milliseconds beside it, has no click", () => {
	for (const besideUs of [-9_000, -3_000, 1_000, 6_000, 9_000]) {
		const person = new PersonAudio();
		for (let index = 0; index < 25; index += 1) {
			person.push(sine(RATE, HZ, index * PACKET, PACKET), index * PACKET_US);
		}
		for (let index = 25; index < 50; index += 1) {
			// Phase and all: what was captured `besideUs` off.
			const shift = Math.round((besideUs * RATE) / 1e6);
			person.push(sine(RATE, HZ, index * PACKET + shift, PACKET), index * PACKET_US, index === 25);
		}
		const heard = listen(person, new FixedOffset(0), 20_000, 45_000);
		expect(largestStep(heard), `${besideUs} µs beside`).toBeLessThan(NO_CLICK * 1.5);
	}
});
