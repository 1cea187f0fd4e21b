import type { Verdict } from "../../test/support/faults/judge.ts";

/** What a case must come to at the receiver. Times that do not rise are never allowed. */
export interface Targets {
	/** RTMP sessions. Default 1. */
	readonly maxSessions?: number;
	/** Frames that may be shown a second time. Default 0. */
	readonly maxShownTwice?: number;
	/** The rest are matters of speed. */
	readonly maxFreezeMs?: number;
	readonly maxRecoverMs?: number;
	readonly maxResumeMs?: number;
	readonly maxLatencyBackMs?: number;
	/** At each splice: one frame, 25 ms of sound, and nothing passed by. */
	readonly seamless?: boolean;
	/** How many splices there must be at least, for a case that is about them. Default 0. */
	readonly minSplices?: number;
	/** Sound against picture. Default 45 ms. */
	readonly maxSkewMs?: number;
}

/** What takes the place of something that died is put where the clock says, which is right to within a frame or two of the host's. */
export const BY_THE_CLOCK: Targets = { maxShownTwice: 2 };

/** One frame at 30 a second, and the millisecond that FLV rounds to. */
const ONE_FRAME_MS = 35;
const MAX_SPLICE_SOUND_MS = 25;
const DEFAULT_MAX_SKEW_MS = 45;

/** What must hold on any machine, however slow: misses in words. */
export function judgeSoundness(verdict: Verdict, targets: Targets): string[] {
	const { maxSessions = 1, maxShownTwice = 0, minSplices = 0 } = targets;
	const misses: string[] = [];
	const atMost = (what: string, got: number, limit: number) => {
		if (got > limit) {
			misses.push(`expected ${limit === 0 ? "no" : `at most ${limit}`} ${what}, got ${got}`);
		}
	};
	atMost("video times that do not rise", verdict.videoBackwards, 0);
	atMost("audio times that do not rise", verdict.audioBackwards, 0);
	atMost("RTMP sessions", verdict.sessions, maxSessions);
	atMost("frames shown twice", verdict.shownTwice, maxShownTwice);
	if (targets.seamless === true) {
		atMost("frames passed by", verdict.passedBy, 0);
	}
	if (verdict.splices < minSplices) {
		misses.push(`expected ${minSplices} splices at least, got ${verdict.splices}`);
	}
	if (verdict.recoveredMs === undefined) {
		misses.push("expected fresh frames after the fault, got none");
	}
	if (verdict.complaints.length > 0) {
		misses.push(`expected ffprobe to have nothing against it, got: ${verdict.complaints[0]}`);
	}
	return misses;
}

/** What must hold on a machine that keeps up: misses in words. */
export function judgeSpeed(verdict: Verdict, targets: Targets): string[] {
	const misses: string[] = [];
	const within = (what: string, got: number | undefined, limitMs: number | undefined) => {
		if (limitMs !== undefined && (got === undefined || got > limitMs)) {
			misses.push(
				`expected ${what} within ${limitMs} ms, got ${got === undefined ? "never" : `${Math.round(got)} ms`}`,
			);
		}
	};
	within("every freeze", Math.max(verdict.freezeMs, verdict.freezeWallMs), targets.maxFreezeMs);
	within("recovery", verdict.recoveredMs, targets.maxRecoverMs);
	within("the picture to go on", verdict.resumedMs, targets.maxResumeMs);
	within("latency back at normal", verdict.latencyBackMs, targets.maxLatencyBackMs);
	if (targets.seamless === true) {
		within("the freeze of a splice", verdict.spliceFreezeMs, ONE_FRAME_MS);
		within("the gap in sound of a splice", verdict.spliceSoundMs, MAX_SPLICE_SOUND_MS);
	}
	if (verdict.medianSkewMs !== undefined) {
		within("sound and picture together", Math.abs(verdict.medianSkewMs), targets.maxSkewMs ?? DEFAULT_MAX_SKEW_MS);
	}
	return misses;
}
