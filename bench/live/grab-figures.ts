/** What a grabbed window's ffmpeg and page counted up to a moment. */
export interface GrabCounters {
	/** When ffmpeg's report came. */
	readonly atMs: number;
	/** Frames put out, and those ffmpeg made twice or left out to hold its rate. */
	readonly frames: number;
	readonly twice: number;
	readonly left: number;
	/** Pictures of both people that the page got to, and those of them it never showed. */
	readonly pictures: number;
	readonly notShown: number;
}

/**
 * Shares over all grabs between two looks. Left out are frames that ffmpeg dropped or that are missing for the rate, and pictures that the page did not show;
 * ffmpeg cannot tell a page that stood still from one that had nothing new.
 */
export function grabShares(
	before: readonly GrabCounters[],
	after: readonly GrabCounters[],
	frameRate: number,
): { readonly repeated: number; readonly dropped: number } {
	const sum = (counters: readonly GrabCounters[], name: keyof GrabCounters) =>
		counters.reduce((total, each) => total + each[name], 0);
	const since = (name: keyof GrabCounters) => sum(after, name) - sum(before, name);
	const [frames, pictures] = [since("frames"), since("pictures")];
	if (frames <= 0 || pictures <= 0) {
		throw new RangeError(`grab: expected frames and pictures between two looks, got ${frames} and ${pictures}`);
	}
	const wanted = (since("atMs") / 1_000) * frameRate;
	const byFfmpeg = Math.max(since("left") / (frames + since("left")), 1 - frames / wanted);
	return { repeated: since("twice") / frames, dropped: byFfmpeg + since("notShown") / pictures };
}

const REPORT_END = /^progress=.*$/gm;

/** The last whole report that ffmpeg gave of its progress (`-progress`); `undefined` before the first. */
export function readProgress(said: string): Pick<GrabCounters, "frames" | "twice" | "left"> | undefined {
	const end = [...said.matchAll(REPORT_END)].at(-1);
	if (end === undefined) {
		return undefined;
	}
	const whole = said.slice(0, end.index);
	const last = (name: string) =>
		Number([...whole.matchAll(new RegExp(`^${name}=\\s*(\\d+)$`, "gm"))].at(-1)?.[1] ?? Number.NaN);
	const [frames, twice, left] = [last("frame"), last("dup_frames"), last("drop_frames")];
	if (![frames, twice, left].every(Number.isFinite)) {
		throw new Error(`ffmpeg: expected a report of its progress, got: ${whole.slice(-300)}`);
	}
	return { frames, twice, left };
}
