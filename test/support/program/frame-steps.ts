/** FLV counts whole milliseconds, so that a step may be one off. */
const ROUNDING_MS = 1;

/**
 * How many frames are missing between these times.
 * @throws Error when a time does not rise, or is none that a frame of this rate can have
 */
export function missingFrames(timesMs: readonly number[], frameRate: number): number {
	const intervalMs = 1_000 / frameRate;
	return timesMs.slice(1).reduce((missing, timeMs, index) => {
		const beforeMs = timesMs[index] ?? Number.NaN;
		const frames = Math.round((timeMs - beforeMs) / intervalMs);
		if (!(frames >= 1 && Math.abs(timeMs - beforeMs - frames * intervalMs) <= ROUNDING_MS)) {
			throw new Error(
				`expected frames ${intervalMs.toFixed(1)} ms apart, got one at ${timeMs} ms after ${beforeMs} ms`,
			);
		}
		return missing + frames - 1;
	}, 0);
}
