export const SOUND_RATE = 48_000;
export const AUDIO_FRAME_SAMPLES = 1_024;

/** Amplitude of one frequency in the samples (Goertzel), 0 to 1 and about what it is when no other tone is there. */
export function toneStrength(samples: Float32Array, toneHz: number): number {
	if (samples.length === 0) {
		return 0;
	}
	const coefficient = 2 * Math.cos((2 * Math.PI * toneHz) / SOUND_RATE);
	let before = 0;
	let beforeThat = 0;
	for (const sample of samples) {
		const now = sample + coefficient * before - beforeThat;
		beforeThat = before;
		before = now;
	}
	const power = before * before + beforeThat * beforeThat - coefficient * before * beforeThat;
	return (2 * Math.sqrt(Math.max(0, power))) / samples.length;
}
