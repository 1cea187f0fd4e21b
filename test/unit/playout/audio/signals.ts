import type { PersonAudio, SourceTimes } from "../../../../playout/audio/person-audio.ts";
import type { PlanarPcm } from "../../../../playout/audio/planar-pcm.ts";

/** Amplitude 0.5, left and right alike. */
export function sine(sampleRate: number, frequency: number, firstIndex: number, frames: number): PlanarPcm {
	const samples = Float32Array.from({ length: frames }, (_, index) =>
		sineAt(frequency, (firstIndex + index) / sampleRate),
	);
	return { sampleRate, frames, channels: [samples, samples] };
}

export function sineAt(frequency: number, seconds: number): number {
	return 0.5 * Math.sin(2 * Math.PI * frequency * seconds);
}

/** A clock that stands `offsetUs` from the source's. */
export class FixedOffset implements SourceTimes {
	offsetUs: number;

	constructor(offsetUs: number) {
		this.offsetUs = offsetUs;
	}

	sourceUs(localUs: number): number {
		return localUs - this.offsetUs;
	}
}

/** The left side of what is heard from `startUs` on, pulled in steps of `stepFrames`. */
export function listen(
	person: PersonAudio,
	clock: SourceTimes,
	startUs: number,
	frames: number,
	stepFrames = 960,
	beforeStep: (localUs: number) => void = () => undefined,
): Float32Array {
	const heard = new Float32Array(frames);
	const step = new Float32Array(2 * stepFrames);
	for (let done = 0; done < frames; done += stepFrames) {
		const localUs = startUs + (done * 1e6) / 48_000;
		beforeStep(localUs);
		person.pull(localUs, stepFrames, clock, step);
		for (let index = 0; index < stepFrames && done + index < frames; index += 1) {
			heard[done + index] = step[2 * index] ?? 0;
		}
	}
	return heard;
}

/** The largest step from one sample to the next. */
export function largestStep(samples: Float32Array): number {
	let largest = 0;
	for (let index = 1; index < samples.length; index += 1) {
		largest = Math.max(largest, Math.abs((samples[index] ?? 0) - (samples[index - 1] ?? 0)));
	}
	return largest;
}

/** Signal to noise in dB against the best-fitting sine of a known frequency at 48 kHz. */
export function sineSnrDb(samples: Float32Array, frequency: number): number {
	// Least squares on sine and cosine, which over many periods are orthogonal enough to solve by the 2×2 normal equations.
	let [ss, cc, sc, ys, yc, yy] = [0, 0, 0, 0, 0, 0];
	samples.forEach((y, index) => {
		const angle = (2 * Math.PI * frequency * index) / 48_000;
		const [s, c] = [Math.sin(angle), Math.cos(angle)];
		ss += s * s;
		cc += c * c;
		sc += s * c;
		ys += y * s;
		yc += y * c;
		yy += y * y;
	});
	const determinant = ss * cc - sc * sc;
	const a = (ys * cc - yc * sc) / determinant;
	const b = (yc * ss - ys * sc) / determinant;
	const signal = a * ys + b * yc;
	return 10 * Math.log10(signal / Math.max(1e-15 * yy, yy - signal));
}

/** Frequency from the mean distance of rising zero crossings, at 48 kHz. */
export function frequencyOf(samples: Float32Array): number {
	const crossings: number[] = [];
	for (let index = 1; index < samples.length; index += 1) {
		const [before, after] = [samples[index - 1] ?? 0, samples[index] ?? 0];
		if (before < 0 && after >= 0) {
			crossings.push(index - 1 + before / (before - after));
		}
	}
	const [first, last] = [crossings[0] ?? 0, crossings.at(-1) ?? 0];
	return ((crossings.length - 1) * 48_000) / (last - first);
}
