import { SOUND_RATE } from "./sound.ts";

/** Amplitude (0 … 1) of one tone in a stretch of sound (Goertzel 1958, Hann window so that neighbours do not leak in). */
export function toneAmplitude(samples: Float32Array, frequencyHz: number, sampleRate = SOUND_RATE): number {
	const count = samples.length;
	const turn = (2 * Math.PI * frequencyHz) / sampleRate;
	const coefficient = 2 * Math.cos(turn);
	let last = 0;
	let beforeLast = 0;
	for (let index = 0; index < count; index++) {
		const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 0.5)) / count);
		const next = (samples[index] ?? 0) * hann + coefficient * last - beforeLast;
		beforeLast = last;
		last = next;
	}
	const power = last * last + beforeLast * beforeLast - coefficient * last * beforeLast;
	// A Hann window passes half the amplitude, and a real tone has half of it in each of its two lines.
	return (Math.sqrt(Math.max(0, power)) * 4) / count;
}
