import { AUDIO_FRAME_MS, type HeardPacket, type Timeline } from "../../test/support/faults/timeline.ts";
import type { HeardFigures, PersonReadings, SeenSample } from "./in-page.ts";

/** The clock in a picture counts so many milliseconds round. */
const CLOCK_ROUND_MS = 0x10000;
const BEEP_EVERY_MS = 1_000;
/** A tone this strong is a beep. */
const TONE_THRESHOLD = 0.02;
/** Packets of sound that lie between two beeps at least. */
const QUIET_PACKETS = 10;
/** By this much pictures may be apart from a beep that are still of its time. */
const NEAR_MS = 2_000;

export interface Quantiles {
	readonly p50: number;
	readonly p95: number;
}

/** What one person saw and heard of the other. */
export interface PersonFigures {
	readonly seen: Quantiles | undefined;
	readonly heard: Quantiles | undefined;
	/** Pictures a second. */
	readonly frameRate: number;
	/** Longest time without a new picture. */
	readonly freezeMs: number;
	/** Share of the sound that was made up, 0 to 1. */
	readonly concealed: number;
	/** How long sound waited in WebRTC's jitter buffer, on average: a part of how late it is heard. */
	readonly bufferedMs: number | undefined;
	/** Asked for of the other. */
	readonly keyFrameRequests: number;
}

export interface ProgramFigures {
	/** From capture to the destination, of either person. */
	readonly seen: Quantiles | undefined;
	readonly heard: Quantiles | undefined;
	/** In how many pictures each is read, and how many beeps of theirs are heard, in the order of the ids. */
	readonly pictures: readonly number[];
	readonly beeps: readonly number[];
	/** Sound less picture by presentation time, in the middle: positive where the sound is late. */
	readonly skewMs: number | undefined;
	/** New pictures of the host a second. */
	readonly frameRate: number;
	/** Longest time without a new picture of the host, by presentation time and as it arrived. */
	readonly freezeMs: number;
	readonly freezeWallMs: number;
	/** Pictures of the host that are older than one that was shown before. */
	readonly shownBack: number;
	readonly timeBack: number;
	readonly sessions: number;
	/** What a hand-off costs at most: how much longer the host's picture stands still at a change of source than the camera did, or than a frame lasts. */
	readonly spliceMs: number;
	/** How much of what the camera saw is left out there at most, to half a frame. */
	readonly spliceLostMs: number;
	readonly splices: number;
}

export function personFigures(readings: PersonReadings, before: HeardFigures, after: HeardFigures): PersonFigures {
	const { seen, heardAtMs } = readings;
	const gaps = seen.slice(1).map(({ atMs }, index) => atMs - (seen[index]?.atMs ?? atMs));
	const samples = after.samples - before.samples;
	const played = after.playedSamples - before.playedSamples;
	const lastedMs = (seen.at(-1)?.atMs ?? 0) - (seen[0]?.atMs ?? 0);
	const heard = heardAtMs.map((atMs) => nearest(atMs, seenLatencyAt(seen, atMs)));
	return {
		seen: quantiles(seen.map(({ latencyMs }) => latencyMs)),
		heard: quantiles(heard),
		frameRate: perSecond(gaps.length, lastedMs),
		freezeMs: largest(gaps),
		concealed: samples > 0 ? (after.concealedSamples - before.concealedSamples) / samples : 0,
		bufferedMs: played > 0 ? ((after.bufferedS - before.bufferedS) * 1_000) / played : undefined,
		keyFrameRequests: after.keyFrameRequests - before.keyFrameRequests,
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
	const seenOf = (whose: number): SeenInProgram[] =>
		frames.flatMap(({ codes, timeMs, arrivedAtMs }) => {
			const code = codes.find(({ id }) => id === whose);
			const latencyMs = latencyOf(code?.number ?? 0, arrivedAtMs);
			return code === undefined
				? []
				: [{ atMs: arrivedAtMs, latencyMs, timeMs, clockMs: originMs + arrivedAtMs - latencyMs }];
		});
	const seenOfAll = ids.map(seenOf);
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
	const beepsOfAll = ids.map((_id, tone) => {
		const seen = seenOfAll[tone] ?? [];
		return beepsIn(timeline.sound, tone)
			.filter(inTime)
			.map((beep) => beepFigures(beep, seen, originMs));
	});
	const beeps = beepsOfAll.flat();
	const seen = quantiles(seenOfAll.flatMap((each) => each.map(({ latencyMs }) => latencyMs)));
	const lastedMs = (fresh.at(-1)?.arrivedAtMs ?? 0) - (fresh[0]?.arrivedAtMs ?? 0);
	const clockStepMs = ({ from, to }: (typeof steps)[number]) => signedRound(to.clock - from.clock);
	const timeStepMs = ({ from, to }: (typeof steps)[number]) => to.timeMs - from.timeMs;
	return {
		seen,
		heard: quantiles(beeps.map(({ latencyMs }) => latencyMs)),
		pictures: seenOfAll.map(({ length }) => length),
		beeps: beepsOfAll.map(({ length }) => length),
		skewMs: quantiles(beeps.flatMap(({ skewMs }) => (skewMs === undefined ? [] : [skewMs])))?.p50,
		frameRate: perSecond(steps.length, lastedMs),
		freezeMs: largest(steps.map((step) => timeStepMs(step) - intervalMs)),
		freezeWallMs: largest(steps.map(({ from, to }) => to.arrivedAtMs - from.arrivedAtMs - intervalMs)),
		shownBack,
		timeBack: countBack(timeline.frames.map(({ timeMs }) => timeMs)) + countBack(timeline.sound.map((s) => s.timeMs)),
		sessions: timeline.sessions.length,
		spliceMs: largest(nearSplice.map((step) => timeStepMs(step) - Math.max(intervalMs, clockStepMs(step)))),
		spliceLostMs: largest(nearSplice.map((step) => clockStepMs(step) - timeStepMs(step) - intervalMs / 2)),
		splices: splices.length,
	};
}

interface SeenInProgram extends SeenSample {
	/** Of the program's time line. */
	readonly timeMs: number;
	/** Unix time at which it was captured. */
	readonly clockMs: number;
}

interface Beep {
	readonly arrivedAtMs: number;
	/** When it begins on the program's time line. */
	readonly timeMs: number;
}

/** Where a tone begins after silence: within its packet by how much of the tone that packet has, compared with the next. */
function beepsIn(sound: readonly HeardPacket[], tone: number): Beep[] {
	const beeps: Beep[] = [];
	let quiet = 0;
	sound.forEach(({ tones, arrivedAtMs, timeMs }, index) => {
		const strength = tones[tone] ?? 0;
		if (strength > TONE_THRESHOLD && quiet > QUIET_PACKETS) {
			const full = sound[index + 1]?.tones[tone] ?? 0;
			const share = full > 0 ? Math.min(1, strength / full) : 1;
			beeps.push({ arrivedAtMs, timeMs: timeMs + (1 - share) * AUDIO_FRAME_MS });
		}
		quiet = strength > TONE_THRESHOLD ? 0 : quiet + 1;
	});
	return beeps;
}

function beepFigures({ arrivedAtMs, timeMs }: Beep, seen: readonly SeenInProgram[], originMs: number) {
	const [near] = seen
		.filter((each) => Math.abs(each.timeMs - timeMs) < NEAR_MS)
		.toSorted((a, b) => Math.abs(a.timeMs - timeMs) - Math.abs(b.timeMs - timeMs));
	return {
		latencyMs: nearest(originMs + arrivedAtMs, near?.latencyMs),
		// What the picture's clock shows when the beep of a full second begins.
		skewMs: near === undefined ? undefined : nearest(near.clockMs + timeMs - near.timeMs, 0),
	};
}

function seenLatencyAt(seen: readonly SeenSample[], atMs: number): number | undefined {
	return seen.filter((each) => each.atMs <= atMs && atMs - each.atMs < NEAR_MS).at(-1)?.latencyMs;
}

/** How late a beep is that comes at this Unix time. They come once a second, so it is taken to be the one that is nearest to the picture of that time, or else the last one. */
function nearest(unixMs: number, expectedMs = BEEP_EVERY_MS / 2): number {
	const past = unixMs % BEEP_EVERY_MS;
	return past + Math.round((expectedMs - past) / BEEP_EVERY_MS) * BEEP_EVERY_MS;
}

function perSecond(count: number, ms: number): number {
	return ms > 0 ? (count * 1_000) / ms : 0;
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
