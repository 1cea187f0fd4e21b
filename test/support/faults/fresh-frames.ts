import type { FrameCode } from "./frame-code.ts";
import type { SeenFrame } from "./timeline.ts";

/** A frame in which a person was seen further on than ever before. */
export interface FreshFrame {
	readonly frame: SeenFrame;
	readonly id: number;
	readonly number: number;
}

export interface Freshness {
	readonly fresh: readonly FreshFrame[];
	/** Frames that showed again what had been shown before something newer was. */
	readonly shownTwice: number;
	/** Key frames that were sent again, which is what a stream does that has nothing newer to show. */
	readonly held: number;
	/** Frames that showed the same as the one before. */
	readonly repeats: number;
	/** Frames in which the person could not be read. */
	readonly unread: number;
	/** Frames that were there for no time, as when a stream is joined at its last key frame: decoded, and not seen. */
	readonly passedBy: number;
}

/** No screen shows what stands for less than half a picture at 60 Hz. */
const SEEN_FROM_MS = 8;

/**
 * Follows one person, whose clips have these ids, through the frames. A clip is never gone back to: its id again after another's is shown twice, as is a
 * lower number.
 */
export function freshFrames(
	frames: readonly SeenFrame[],
	ids: readonly number[],
	spliceTimesMs: readonly number[],
): Freshness {
	const fresh: FreshFrame[] = [];
	const highest = new Map<number, number>();
	let shownTwice = 0;
	let repeats = 0;
	let unread = 0;
	let passedBy = 0;
	let held = 0;
	let lastKey: FrameCode | undefined;
	let lastReadMs = Number.NEGATIVE_INFINITY;
	for (const [index, frame] of frames.entries()) {
		const code = frame.codes.find(({ id }) => ids.includes(id));
		const isHeld = frame.key && code !== undefined && code.id === lastKey?.id && code.number === lastKey.number;
		lastKey = frame.key ? code : lastKey;
		const standsMs = (frames[index + 1]?.timeMs ?? Number.POSITIVE_INFINITY) - frame.timeMs;
		if (standsMs >= 0 && standsMs < SEEN_FROM_MS) {
			passedBy += 1;
			continue;
		}
		if (code === undefined) {
			unread += 1;
			continue;
		}
		if (isHeld) {
			held += 1;
			continue;
		}
		const current = fresh.at(-1);
		const shown = highest.get(code.id);
		if (shown === undefined || (code.id === current?.id && code.number > shown)) {
			highest.set(code.id, code.number);
			fresh.push({ frame, ...code });
		} else if (
			code.id === current?.id &&
			code.number === shown &&
			!isSpliced(lastReadMs, frame.timeMs, spliceTimesMs)
		) {
			repeats += 1;
		} else {
			shownTwice += 1;
		}
		lastReadMs = frame.timeMs;
	}
	return { fresh, shownTwice, held, repeats, unread, passedBy };
}

function isSpliced(fromMs: number, toMs: number, spliceTimesMs: readonly number[]): boolean {
	return spliceTimesMs.some((timeMs) => timeMs > fromMs && timeMs <= toMs);
}
