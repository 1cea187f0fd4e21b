import type { FreshFrame } from "./fresh-frames.ts";
import { AUDIO_FRAME_MS, type HeardPacket } from "./timeline.ts";

/** Weaker than this no tone was there. The clips' is 0.25. */
const TONE_ABOVE = 0.05;
/** Past this from one packet or frame to the next the stream is broken there, and nothing can be said. */
const BROKEN_ABOVE_MS = 100;
/** Tones of even and odd seconds alternate: a change of one kind comes every 2 s. */
const NEAREST_WITHIN_MS = 950;

/** The full seconds of a clip, as they were heard: the tone of even seconds gives way to that of odd ones, or the other way round. */
function changesOfTone(sound: readonly HeardPacket[]): { timeMs: number; toOdd: boolean }[] {
	const changes: { timeMs: number; toOdd: boolean }[] = [];
	sound.forEach((packet, index) => {
		const before = sound[index - 1];
		const after = sound[index + 1];
		if (before === undefined || after === undefined || after.timeMs - before.timeMs > BROKEN_ABOVE_MS) {
			return;
		}
		const was = oddShare(before);
		const is = oddShare(packet);
		const becomes = oddShare(after);
		if (was === undefined || is === undefined || becomes === undefined || Math.abs(becomes - was) < 0.5) {
			return;
		}
		// The packet in which it changes is the one that has most of both.
		if (Math.abs(is - 0.5) > Math.abs(was - 0.5) || Math.abs(is - 0.5) > Math.abs(becomes - 0.5)) {
			return;
		}
		const toOdd = becomes > was;
		const beforeShare = toOdd ? 1 - is : is;
		changes.push({ timeMs: packet.timeMs + beforeShare * AUDIO_FRAME_MS, toOdd });
	});
	return changes;
}

function oddShare({ tones }: HeardPacket): number | undefined {
	const [even = 0, odd = 0] = tones;
	return even + odd < TONE_ABOVE ? undefined : odd / (even + odd);
}

/** The full seconds of a clip, as they were seen. */
function seenSeconds(fresh: readonly FreshFrame[], frameRate: number): { timeMs: number; toOdd: boolean }[] {
	return fresh.flatMap((frame, index) => {
		const before = fresh[index - 1];
		const second = Math.floor(frame.number / frameRate);
		if (
			before === undefined ||
			before.id !== frame.id ||
			Math.floor(before.number / frameRate) === second ||
			frame.frame.timeMs - before.frame.timeMs > BROKEN_ABOVE_MS
		) {
			return [];
		}
		const lateMs = ((frame.number - second * frameRate) * 1_000) / frameRate;
		return [{ timeMs: frame.frame.timeMs - lateMs, toOdd: second % 2 === 1 }];
	});
}

/** Sound minus picture at each full second at which both can be told: positive when the sound is late. Tones are those of even and odd seconds. */
export function lipSync(
	sound: readonly HeardPacket[],
	fresh: readonly FreshFrame[],
	frameRate: number,
): { timeMs: number; skewMs: number }[] {
	const seconds = seenSeconds(fresh, frameRate);
	return changesOfTone(sound).flatMap((change) => {
		const skews = seconds
			.filter(({ toOdd }) => toOdd === change.toOdd)
			.map(({ timeMs }) => change.timeMs - timeMs)
			.sort((a, b) => Math.abs(a) - Math.abs(b));
		const [skewMs] = skews;
		return skewMs === undefined || Math.abs(skewMs) > NEAREST_WITHIN_MS ? [] : [{ timeMs: change.timeMs, skewMs }];
	});
}
