/** Below this a meter shows nothing: the noise of a quiet room. */
const QUIETEST_DB = -60;

/** Loudness of samples between -1 and 1, as a share of a meter: 0 for a quiet room, 1 for as loud as it gets. */
export function meterShare(samples: Float32Array): number {
	let sum = 0;
	for (const sample of samples) {
		sum += sample * sample;
	}
	if (sum === 0) {
		return 0;
	}
	const decibels = 10 * Math.log10(sum / samples.length);
	return Math.min(1, Math.max(0, 1 - decibels / QUIETEST_DB));
}
