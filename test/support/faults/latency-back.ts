import type { FreshFrame } from "./fresh-frames.ts";

export interface LatencyBackOptions {
	readonly frameRate: number;
	readonly injectedAtMs: number;
	readonly restoredAtMs: number;
}

/** Before the fault; long enough to hold a few key frames. */
const BASELINE_MS = 3_000;
/** More than this over what it was before is not normal: three frames, which jitter and a hand-off to a compositor do not reach together. */
const NORMAL_WITHIN_MS = 200;
/** Looked at as a median over this, since single frames come in bursts. */
const WINDOW_MS = 500;

/**
 * Whether the picture is as far behind its publisher as it was before the fault: by the number it carries, which its publisher sent at its own time, and
 * when it arrived. Only for a clip that was on air before and after. `latencyBackMs` counts from `restoredAtMs` to the moment since which it was normal.
 */
export function latencyBack(
	fresh: readonly FreshFrame[],
	{ frameRate, injectedAtMs, restoredAtMs }: LatencyBackOptions,
): { latencyBackMs?: number; latencyRoseMs?: number } {
	const behindMs = ({ frame, number }: FreshFrame) => frame.arrivedAtMs - (number * 1_000) / frameRate;
	const before = fresh.filter(
		({ frame }) => frame.arrivedAtMs <= injectedAtMs && frame.arrivedAtMs > injectedAtMs - BASELINE_MS,
	);
	const id = before.at(-1)?.id;
	const after = fresh.filter((each) => each.frame.arrivedAtMs > restoredAtMs && each.id === id);
	const lastOfAll = fresh.at(-1);
	if (before.length === 0 || after.length === 0 || lastOfAll?.id !== id) {
		return {};
	}
	const normalMs = median(before.map(behindMs)) + NORMAL_WITHIN_MS;
	const windows = new Map<number, number[]>();
	for (const each of after) {
		const index = Math.floor((each.frame.arrivedAtMs - restoredAtMs) / WINDOW_MS);
		windows.set(index, [...(windows.get(index) ?? []), behindMs(each)]);
	}
	const medians = [...windows].map(([index, values]) => ({ index, behind: median(values) }));
	const rose = Math.max(...medians.map(({ behind }) => behind)) - (normalMs - NORMAL_WITHIN_MS);
	const lastLate = medians.findLast(({ behind }) => behind > normalMs);
	if (lastLate !== undefined && lastLate.index === medians.at(-1)?.index) {
		return { latencyRoseMs: rose };
	}
	return { latencyRoseMs: rose, latencyBackMs: lastLate === undefined ? 0 : (lastLate.index + 1) * WINDOW_MS };
}

function median(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
