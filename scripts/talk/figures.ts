import type { Timeline } from "../../test/support/faults/timeline.ts";
import type { HeardFigures, PersonReadings } from "./in-page.ts";

/** The clock in a picture counts so many milliseconds round. */
const CLOCK_ROUND_MS = 0x10000;
const BEEP_EVERY_MS = 1_000;
/** A tone this strong is a beep. */
const TONE_THRESHOLD = 0.02;

export interface Quantiles {
	readonly p50: number;
	readonly p95: number;
}

/** What one person saw and heard of the other. */
export interface PersonFigures {
	readonly seen: Quantiles | undefined;
	readonly heard: Quantiles | undefined;
	/** Longest time without a new picture. */
	readonly freezeMs: number;
	/** Share of the sound that was made up, 0 to 1. */
	readonly concealed: number;
}

export interface ProgramFigures {
	/** From capture to the destination, of either person. */
	readonly seen: Quantiles | undefined;
	/** Sound less picture, in the middle. */
	readonly skewMs: number | undefined;
	/** Longest time without a new picture of the host, by presentation time and as it arrived. */
	readonly freezeMs: number;
	readonly freezeWallMs: number;
	/** Pictures of the host that are older than one that was shown before. */
	readonly shownBack: number;
	readonly timeBack: number;
	readonly sessions: number;
	/** Longest step between two of the host's pictures at a change of source, less the usual one: what a hand-off costs. */
	readonly spliceMs: number;
	readonly splices: number;
}

export function personFigures(readings: PersonReadings, before: HeardFigures, after: HeardFigures): PersonFigures {
	const { seen, heardAtMs } = readings;
	const gaps = seen.slice(1).map(({ atMs }, index) => atMs - (seen[index]?.atMs ?? atMs));
	const samples = after.samples - before.samples;
	return {
		seen: quantiles(seen.map(({ latencyMs }) => latencyMs)),
		heard: quantiles(heardAtMs.map((atMs) => atMs % BEEP_EVERY_MS)),
		freezeMs: largest(gaps),
		concealed: samples > 0 ? (after.concealedSamples - before.concealedSamples) / samples : 0,
	};
}

export interface ProgramWindow {
	/** Of `performance.now()` in this process, as the timeline's own. */
	readonly fromMs: number;
	readonly toMs: number;
	readonly hostId: number;
	readonly ids: readonly number[];
	readonly frameRate: number;
}

/** @param originMs Unix time of the timeline's moment 0 */
export function programFigures(timeline: Timeline, window: ProgramWindow, originMs: number): ProgramFigures {
	const { fromMs, toMs, hostId, ids, frameRate } = window;
	const inTime = ({ arrivedAtMs }: { readonly arrivedAtMs: number }) => arrivedAtMs >= fromMs && arrivedAtMs <= toMs;
	const frames = timeline.frames.filter(inTime);
	const latencyOf = (number: number, arrivedAtMs: number) => round(Math.round(originMs + arrivedAtMs) - number);
	const latencies = frames.flatMap(({ codes, arrivedAtMs }) =>
		codes.filter(({ id }) => ids.includes(id)).map(({ number }) => latencyOf(number, arrivedAtMs)),
	);
	const hosts = frames.flatMap(({ codes, timeMs, arrivedAtMs }) => {
		const code = codes.find(({ id }) => id === hostId);
		return code === undefined ? [] : [{ clock: code.number, timeMs, arrivedAtMs }];
	});
	let shownBack = 0;
	const fresh = hosts.slice(0, 1);
	for (const next of hosts.slice(1)) {
		const step = signedRound(next.clock - (fresh.at(-1)?.clock ?? next.clock));
		if (step > 0) {
			fresh.push(next);
		} else if (step < 0) {
			shownBack += 1;
		}
	}
	const intervalMs = 1_000 / frameRate;
	const steps = fresh.slice(1).map((to, index) => ({ from: fresh[index] ?? to, to }));
	const splices = timeline.splices.filter(inTime);
	const nearSplice = steps.filter(({ from, to }) =>
		splices.some(({ timeMs }) => timeMs > from.timeMs - 200 && timeMs < to.timeMs + 200),
	);
	const beeps = ids.flatMap((_id, tone) => beepLatencies(timeline, tone, window, originMs));
	const seen = quantiles(latencies);
	const heard = quantiles(beeps);
	return {
		seen,
		skewMs: seen === undefined || heard === undefined ? undefined : heard.p50 - seen.p50,
		freezeMs: largest(steps.map(({ from, to }) => to.timeMs - from.timeMs - intervalMs)),
		freezeWallMs: largest(steps.map(({ from, to }) => to.arrivedAtMs - from.arrivedAtMs - intervalMs)),
		shownBack,
		timeBack: countBack(timeline.frames.map(({ timeMs }) => timeMs)) + countBack(timeline.sound.map((s) => s.timeMs)),
		sessions: timeline.sessions.length,
		spliceMs: largest(nearSplice.map(({ from, to }) => to.timeMs - from.timeMs - intervalMs)),
		splices: splices.length,
	};
}

function beepLatencies(timeline: Timeline, tone: number, window: ProgramWindow, originMs: number): number[] {
	const latencies: number[] = [];
	let quiet = 0;
	for (const { tones, arrivedAtMs } of timeline.sound) {
		const isLoud = (tones[tone] ?? 0) > TONE_THRESHOLD;
		if (isLoud && quiet > 10 && arrivedAtMs >= window.fromMs && arrivedAtMs <= window.toMs) {
			latencies.push((((originMs + arrivedAtMs) % BEEP_EVERY_MS) + BEEP_EVERY_MS) % BEEP_EVERY_MS);
		}
		quiet = isLoud ? 0 : quiet + 1;
	}
	return latencies;
}

function round(ms: number): number {
	return ((ms % CLOCK_ROUND_MS) + CLOCK_ROUND_MS) % CLOCK_ROUND_MS;
}

function signedRound(ms: number): number {
	const rounded = round(ms);
	return rounded > CLOCK_ROUND_MS / 2 ? rounded - CLOCK_ROUND_MS : rounded;
}

function countBack(times: readonly number[]): number {
	return times.filter((time, index) => index > 0 && time < (times[index - 1] ?? time)).length;
}

function largest(values: readonly number[]): number {
	return values.reduce((most, value) => Math.max(most, value), 0);
}

export function quantiles(values: readonly number[]): Quantiles | undefined {
	const sorted = values.toSorted((a, b) => a - b);
	const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
	return sorted.length === 0 ? undefined : { p50: at(0.5), p95: at(0.95) };
}
