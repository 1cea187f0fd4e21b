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

/** A tone's level is the mean over windows this long: short enough that a pitch off by 1 % still counts as the tone. */
const LEVEL_WINDOW_S = 0.05;

/**
 * Mean amplitude (0 … 1) of one tone over a stretch of sound. Whoever plays to the clock of another plays a little faster or slower, and so half a
 * per cent higher or lower: unlike {@link toneAmplitude} this does not mind.
 */
export function toneLevel(samples: Float32Array, frequencyHz: number, sampleRate = SOUND_RATE): number {
	const windowSamples = Math.round(LEVEL_WINDOW_S * sampleRate);
	let sum = 0;
	let windows = 0;
	for (let at = 0; at + windowSamples <= samples.length; at += windowSamples) {
		sum += toneAmplitude(samples.subarray(at, at + windowSamples), frequencyHz, sampleRate);
		windows += 1;
	}
	return windows === 0 ? 0 : sum / windows;
}
