import { type FreshFrame, freshFrames } from "./fresh-frames.ts";
import { latencyBack } from "./latency-back.ts";
import { lipSync } from "./lip-sync.ts";
import { AUDIO_FRAME_MS, type HeardPacket, type Received, type Timeline } from "./timeline.ts";

export interface JudgeOptions {
	readonly frameRate: number;
	/** Of the person's clips. */
	readonly ids: readonly number[];
	/** What is judged, by time of arrival. */
	readonly fromMs: number;
	readonly toMs: number;
	/** When the fault began. */
	readonly injectedAtMs: number;
	/** When its cause was taken away again, where it was. */
	readonly restoredAtMs?: number;
}

/** What a viewer at the destination went through. */
export interface Verdict {
	readonly sessions: number;
	/** Longest time that a picture stood longer than its own: by presentation times, and as it arrived. */
	readonly freezeMs: number;
	readonly freezeWallMs: number;
	/** When the latter ended, from the fault on. */
	readonly freezeAtMs?: number;
	/** Splices that changed the picture's sequence header, the longest freeze at one, pictures lost at them, and the worst step of sound. */
	readonly splices: number;
	readonly spliceFreezeMs: number;
	readonly spliceLost: number;
	readonly spliceSoundMs: number;
	readonly silenceMs: number;
	/** Times that did not rise, of the whole stream. */
	readonly videoBackwards: number;
	readonly audioBackwards: number;
	/** Frames that showed again what had been shown before; key frames sent again for want of anything newer; and frames that merely repeated the last. */
	readonly shownTwice: number;
	readonly held: number;
	readonly repeats: number;
	readonly unread: number;
	/** Frames that were decoded and not seen. */
	readonly passedBy: number;
	/** Worst and median of sound minus picture; absent where it could not be told. */
	readonly worstSkewMs?: number;
	readonly medianSkewMs?: number;
	/** From the fault to the first fresh frame after the longest freeze since; 0 when there was none to speak of, absent when none came. */
	readonly recoveredMs?: number;
	/** From the end of its cause to the first fresh frame; 0 when the picture did not stand still at that moment, absent when none came. */
	readonly resumedMs?: number;
	/** From the end of its cause, or else from the fault, until latency stayed at what it was before; absent when it did not come back. */
	readonly latencyBackMs?: number;
	readonly latencyRoseMs?: number;
	readonly complaints: readonly string[];
}

/** Below this a freeze is the machine's or the network's jitter. */
const NOTICED_MS = 250;
/** What belongs to a splice, by presentation time. */
const NEAR_SPLICE_MS = 500;
/** −40 dB. The clips' tone is at −15. */
const SILENT_BELOW_RMS = 0.01;

/** Judges one person's way through what a destination received. */
export function judge(timeline: Timeline, options: JudgeOptions): Verdict {
	const { frameRate, ids, fromMs, toMs, injectedAtMs, restoredAtMs } = options;
	const within = <T extends Received>(received: readonly T[]): T[] =>
		received.filter(({ arrivedAtMs }) => arrivedAtMs >= fromMs && arrivedAtMs <= toMs);
	const splices = timeline.splices.filter(({ arrivedAtMs }) => arrivedAtMs >= fromMs && arrivedAtMs <= toMs);
	const spliceTimesMs = splices.map(({ timeMs }) => timeMs);
	const nearSplice = (startMs: number, endMs: number): boolean =>
		spliceTimesMs.some((timeMs) => timeMs >= startMs - NEAR_SPLICE_MS && timeMs <= endMs + NEAR_SPLICE_MS);

	const { fresh, ...seen } = freshFrames(within(timeline.frames), ids, spliceTimesMs);
	const sound = within(timeline.sound);
	const intervalMs = 1_000 / frameRate;
	const steps = stepsOf(fresh, intervalMs);
	const spliceSteps = steps.filter(({ from, to }) => nearSplice(from.frame.timeMs, to.frame.timeMs));
	const lastFresh = fresh.at(-1)?.frame.arrivedAtMs ?? fromMs;
	const tailMs = Math.max(0, toMs - lastFresh - intervalMs);
	const soundSteps = soundStepsOf(sound);
	const skews = lipSync(sound, fresh, frameRate).map(({ skewMs }) => skewMs);
	return {
		sessions: timeline.sessions.length,
		freezeMs: largest([...steps.map(({ timeMs }) => timeMs), tailMs]),
		freezeWallMs: largest([...steps.map(({ wallMs }) => wallMs), tailMs]),
		...defined("freezeAtMs", endOfLongest(steps, injectedAtMs)),
		splices: splices.length,
		spliceFreezeMs: largest(spliceSteps.map(({ timeMs }) => timeMs)),
		spliceLost: spliceSteps.reduce((sum, { lost }) => sum + lost, 0),
		spliceSoundMs: largest(soundSteps.filter(({ atMs }) => nearSplice(atMs, atMs)).map(({ offMs }) => offMs)),
		silenceMs: longestSilence(sound, fromMs, toMs),
		videoBackwards: notRising(timeline.frames),
		audioBackwards: notRising(timeline.sound),
		...seen,
		...(skews.length === 0 ? {} : { worstSkewMs: worst(skews), medianSkewMs: median(skews) }),
		...defined("recoveredMs", recoveredMs(steps, tailMs, injectedAtMs)),
		...(restoredAtMs === undefined ? {} : defined("resumedMs", resumedMs(fresh, restoredAtMs))),
		...latencyBack(fresh, { frameRate, injectedAtMs, restoredAtMs: restoredAtMs ?? injectedAtMs }),
		complaints: timeline.complaints,
	};
}

interface Step {
	readonly from: FreshFrame;
	readonly to: FreshFrame;
	/** More than a frame's own time, by presentation and by arrival. */
	readonly timeMs: number;
	readonly wallMs: number;
	readonly lost: number;
}

function stepsOf(fresh: readonly FreshFrame[], intervalMs: number): Step[] {
	return fresh.slice(1).flatMap((to, index) => {
		const from = fresh[index];
		return from === undefined
			? []
			: [
					{
						from,
						to,
						timeMs: to.frame.timeMs - from.frame.timeMs - intervalMs,
						wallMs: to.frame.arrivedAtMs - from.frame.arrivedAtMs - intervalMs,
						lost: to.id === from.id ? to.number - from.number - 1 : 0,
					},
				];
	});
}

/** How far each packet of sound is from where the one before it ends. */
function soundStepsOf(sound: readonly HeardPacket[]): { atMs: number; offMs: number }[] {
	return sound.slice(1).map(({ timeMs }, index) => {
		const beforeMs = sound[index]?.timeMs ?? Number.NaN;
		return { atMs: timeMs, offMs: Math.abs(timeMs - beforeMs - AUDIO_FRAME_MS) };
	});
}

/** By presentation times; what is missing at the beginning and end by arrival. */
function longestSilence(sound: readonly HeardPacket[], fromMs: number, toMs: number): number {
	const loud = sound.filter(({ rms }) => rms >= SILENT_BELOW_RMS);
	const gaps = loud.slice(1).map(({ timeMs }, index) => timeMs - (loud[index]?.timeMs ?? Number.NaN) - AUDIO_FRAME_MS);
	const [first, last] = [loud[0], loud.at(-1)];
	if (first === undefined || last === undefined) {
		return toMs - fromMs;
	}
	const ends = [first.arrivedAtMs - fromMs, toMs - last.arrivedAtMs].map((ms) => ms - NOTICED_MS);
	return largest([...gaps, ...ends]);
}

function notRising(received: readonly Received[]): number {
	return received.slice(1).filter(({ timeMs }, index) => timeMs <= (received[index]?.timeMs ?? Number.NaN)).length;
}

function endOfLongest(steps: readonly Step[], injectedAtMs: number): number | undefined {
	const longest = steps.toSorted((a, b) => b.wallMs - a.wallMs)[0];
	return longest === undefined ? undefined : longest.to.frame.arrivedAtMs - injectedAtMs;
}

function recoveredMs(steps: readonly Step[], tailMs: number, injectedAtMs: number): number | undefined {
	const since = steps.filter(({ to }) => to.frame.arrivedAtMs > injectedAtMs);
	const longest = since.toSorted((a, b) => b.wallMs - a.wallMs)[0];
	if (tailMs >= NOTICED_MS && tailMs >= (longest?.wallMs ?? 0)) {
		return undefined;
	}
	return longest === undefined || longest.wallMs < NOTICED_MS ? 0 : longest.to.frame.arrivedAtMs - injectedAtMs;
}

function resumedMs(fresh: readonly FreshFrame[], restoredAtMs: number): number | undefined {
	const before = fresh.findLast(({ frame }) => frame.arrivedAtMs <= restoredAtMs);
	if (before !== undefined && restoredAtMs - before.frame.arrivedAtMs < NOTICED_MS) {
		return 0;
	}
	const after = fresh.find(({ frame }) => frame.arrivedAtMs > restoredAtMs);
	return after === undefined ? undefined : after.frame.arrivedAtMs - restoredAtMs;
}

function largest(values: readonly number[]): number {
	return values.reduce((most, value) => Math.max(most, value), 0);
}

function worst(values: readonly number[]): number {
	return values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
}

function median(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function defined<K extends string>(name: K, value: number | undefined): { [_ in K]?: number } {
	return value === undefined ? {} : ({ [name]: value } as { [_ in K]?: number });
}
