import type { Rect } from "../../../media/layout.ts";
import { meanOf } from "./picture.ts";
import { decodePictures } from "./pictures.ts";
import { decodeSound, SOUND_RATE } from "./sound.ts";
import { toneAmplitude } from "./tone.ts";

/** Brightness half way between dark ground and white flash, in video range (16 … 235). */
const FLASH_LEVEL = 130;
/** A beep's attack is looked for in windows this long, every millisecond. */
const BEEP_WINDOW_MS = 8;
const MIN_BEEP_AMPLITUDE = 0.02;

/** When each flash in a rectangle began: the time of the first bright picture after a dark one. */
export async function flashOnsetsMs(file: string, rects: readonly Rect[]): Promise<number[][]> {
	const onsets: number[][] = rects.map(() => []);
	const wasBright = rects.map(() => true);
	for await (const { ptsMs, picture } of decodePictures(file)) {
		rects.forEach((rect, index) => {
			const bright = meanOf(picture.y, rect) > FLASH_LEVEL;
			if (bright && wasBright[index] === false) {
				onsets[index]?.push(ptsMs);
			}
			wasBright[index] = bright;
		});
	}
	return onsets;
}

/** When each beep of a tone began, to about 1 ms: where a short window's amplitude first passes half of the loudest. */
export async function beepOnsetsMs(file: string, frequencyHz: number): Promise<number[]> {
	const sound = await decodeSound(file);
	const windowSamples = Math.round((BEEP_WINDOW_MS * SOUND_RATE) / 1_000);
	const stepSamples = SOUND_RATE / 1_000;
	const levels: number[] = [];
	for (let at = 0; at + windowSamples <= sound.samples.length; at += stepSamples) {
		levels.push(toneAmplitude(sound.samples.subarray(at, at + windowSamples), frequencyHz));
	}
	const half = levels.reduce((highest, level) => Math.max(highest, level), 0) / 2;
	if (half < MIN_BEEP_AMPLITUDE) {
		return [];
	}
	const onsets: number[] = [];
	let wasLoud = true;
	levels.forEach((level, index) => {
		if (level >= half && !wasLoud) {
			// Half the amplitude is reached when the attack stands in the middle of the window.
			onsets.push(sound.startMs + index + BEEP_WINDOW_MS / 2);
		}
		wasLoud = wasLoud ? level >= half / 2 : level >= half;
	});
	return onsets;
}

/** Sound minus picture for each flash that has a beep within `pairWithinMs`: positive when sound is late. */
export function skewsMs(flashes: readonly number[], beeps: readonly number[], pairWithinMs = 300): number[] {
	return flashes.flatMap((flash) => {
		const nearest = beeps.reduce(
			(best, beep) => (Math.abs(beep - flash) < Math.abs(best - flash) ? beep : best),
			Number.POSITIVE_INFINITY,
		);
		return Math.abs(nearest - flash) <= pairWithinMs ? [nearest - flash] : [];
	});
}

export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
