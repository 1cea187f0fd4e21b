export const US_PER_MS = 1_000;
export const US_PER_SECOND = 1_000_000;
export const MS_PER_SECOND = 1_000;

export function msToUs(ms: number): number {
	return ms * US_PER_MS;
}

export function usToMs(us: number): number {
	return us / US_PER_MS;
}

/** Length of `samples` audio samples at `sampleRate` Hz, in microseconds. */
export function samplesToUs(samples: number, sampleRate: number): number {
	return (samples * US_PER_SECOND) / sampleRate;
}

/** Whole audio samples in `us` microseconds at `sampleRate` Hz, rounded to nearest. */
export function usToSamples(us: number, sampleRate: number): number {
	return Math.round((us * sampleRate) / US_PER_SECOND);
}
