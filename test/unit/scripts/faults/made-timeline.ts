import { AUDIO_FRAME_MS, type HeardPacket, type SeenFrame, type Timeline } from "../../../support/faults/timeline.ts";

export const FRAME_MS = 1_000 / 30;
export const START_MS = 50_000;

/** The host's clip as it comes when nothing is wrong: 30 frames a second from number 0, and tones that change with every second. */
export function flawless(seconds: number): Timeline {
	const frames = Array.from({ length: seconds * 30 }, (_, number): SeenFrame => {
		const timeMs = Math.round(number * FRAME_MS);
		return { arrivedAtMs: START_MS + timeMs, timeMs, session: 0, key: number % 60 === 0, codes: [{ id: 1, number }] };
	});
	const sound = Array.from({ length: Math.floor((seconds * 1_000) / AUDIO_FRAME_MS) }, (_, index): HeardPacket => {
		const startMs = index * AUDIO_FRAME_MS;
		const timeMs = Math.round(startMs);
		return { arrivedAtMs: START_MS + timeMs, timeMs, session: 0, rms: 0.2, tones: tonesAt(startMs) };
	});
	return {
		sessions: [{ startedAtMs: START_MS, endedAtMs: undefined }],
		frames,
		sound,
		splices: [],
		complaints: [],
	};
}

/** Of a packet that begins then: even seconds have the first tone, odd ones the second. */
function tonesAt(startMs: number): readonly [number, number] {
	const second = Math.floor(startMs / 1_000);
	const intoNext = Math.max(0, startMs + AUDIO_FRAME_MS - (second + 1) * 1_000) / AUDIO_FRAME_MS;
	const odd = second % 2 === 1 ? 1 - intoNext : intoNext;
	return [0.3 * (1 - odd), 0.3 * odd];
}
