/** A slider's ends; in the middle a voice is as it comes. */
export const GAIN_SLIDER = { min: 0, max: 200, step: 5 } as const;
const UNCHANGED_AT = 100;

/** Squared: equal steps sound about equal, and the end is four times as loud, which is as far as gain goes. */
export function gainOfSlider(position: number): number {
	return (position / UNCHANGED_AT) ** 2;
}

export function sliderOfGain(gain: number): number {
	const position = Math.sqrt(gain) * UNCHANGED_AT;
	return Math.min(GAIN_SLIDER.max, Math.round(position / GAIN_SLIDER.step) * GAIN_SLIDER.step);
}

/** In decibels, as whoever mixes reads it. */
export function gainWords(gain: number): string {
	if (gain === 0) {
		return "silent";
	}
	const decibels = 20 * Math.log10(gain);
	return `${decibels >= 0.05 ? "+" : ""}${Math.abs(decibels) < 0.05 ? "0" : decibels.toFixed(1)} dB`;
}
