/** What one way took and gave while some broadcasts were on air. */
export interface LiveFigures {
	readonly broadcasts: number;
	/** Processor cores of what composites and encodes, a broadcast. */
	readonly coresEach: number;
	readonly memoryEachBytes: number;
	/** Of a browser that stands by for all of them. */
	readonly spareBytes?: number;
	/** Of all output frames: shown again for want of a new picture, and left out. */
	readonly repeatedShare: number;
	readonly droppedShare: number;
	/** From a frame's arrival to its encoded picture; only we can tell. */
	readonly latencyP50Ms?: number;
	readonly latencyP95Ms?: number;
	/** Cores of what moves the media: Worker and Router. */
	readonly routingCores?: number;
}

/** Counters of one broadcast's program, from its compositor. */
export interface ProgramCounters {
	readonly frames: number;
	readonly heldFrames: number;
	readonly droppedFrames: number;
}

/** Shares over all broadcasts between two looks at their counters. */
export function frameShares(
	before: readonly ProgramCounters[],
	after: readonly ProgramCounters[],
): { readonly repeated: number; readonly dropped: number } {
	const sum = (counters: readonly ProgramCounters[], name: keyof ProgramCounters) =>
		counters.reduce((total, each) => total + each[name], 0);
	const since = (name: keyof ProgramCounters) => sum(after, name) - sum(before, name);
	const made = since("frames") + since("droppedFrames");
	if (made <= 0) {
		throw new RangeError(`live: expected frames between two looks, got ${made}`);
	}
	return { repeated: since("heldFrames") / made, dropped: since("droppedFrames") / made };
}

/** The last of ffmpeg's reports (`-progress`): frames put out, and those it made twice or left out to hold its rate. */
export function readProgress(report: string): {
	readonly frames: number;
	readonly twice: number;
	readonly left: number;
} {
	const last = (name: string) =>
		Number([...report.matchAll(new RegExp(`^${name}=\\s*(\\d+)$`, "gm"))].at(-1)?.[1] ?? Number.NaN);
	const [frames, twice, left] = [last("frame"), last("dup_frames"), last("drop_frames")];
	if (![frames, twice, left].every(Number.isFinite)) {
		throw new Error(`ffmpeg: expected a report of its progress, got: ${report.slice(-300)}`);
	}
	return { frames, twice, left };
}
