import type { PlayoutClock, Track } from "../../../../playout/jitter/playout-clock.ts";

/** Spread of the tracks of an OBS-like feed: 30 pictures and 43.07 AAC frames a second. */
export const INTERVAL_US: Readonly<Record<Track, number>> = { video: 1e6 / 30, audio: (1024 / 44_100) * 1e6 };

export interface Feed {
	readonly seconds: number;
	readonly tracks?: readonly Track[];
	/** Source clock minus local clock at time 0. */
	readonly sourceStartUs?: number;
	/** How much slower the source's clock runs than the local one. */
	readonly driftPpm?: number;
	/** Transit of one frame over the least possible one. */
	readonly delayUs: (track: Track, sourceUs: number) => number;
}

export interface SentFrame {
	readonly track: Track;
	readonly dtsUs: number;
	readonly arrivalUs: number;
}

/** The frames of a feed in order of arrival; each track's in order, as over TCP. */
export function frames(feed: Feed): SentFrame[] {
	const scale = 1 + (feed.driftPpm ?? 0) / 1e6;
	const sent: SentFrame[] = [];
	for (const track of feed.tracks ?? (["video", "audio"] as const)) {
		let lastUs = 0;
		for (let index = 0; index * INTERVAL_US[track] < feed.seconds * 1e6; index += 1) {
			const sourceUs = index * INTERVAL_US[track];
			lastUs = Math.max(lastUs, sourceUs * scale + feed.delayUs(track, sourceUs));
			const dtsUs = Math.round(((feed.sourceStartUs ?? 0) + sourceUs) / 1_000) * 1_000; // FLV counts milliseconds
			sent.push({ track, dtsUs, arrivalUs: lastUs });
		}
	}
	return sent.sort((a, b) => a.arrivalUs - b.arrivalUs);
}

/** Feeds the frames to the clock, advancing it every 10 ms, and calls back after each step. */
export function run(
	clock: PlayoutClock,
	sent: readonly SentFrame[],
	onStep: (nowUs: number) => void = () => undefined,
	onFrame: (frame: SentFrame, result: "continuous" | "reset") => void = () => undefined,
): void {
	let nowUs = sent[0]?.arrivalUs ?? 0;
	for (const frame of sent) {
		while (nowUs + 10_000 <= frame.arrivalUs) {
			nowUs += 10_000;
			clock.advance(nowUs);
			onStep(nowUs);
		}
		onFrame(frame, clock.onArrival(frame));
	}
}

/** A repeatable source of numbers in [0, 1). */
export function randomSource(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	};
}
