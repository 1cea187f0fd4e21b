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
	/** Cores of all others that take part, for all broadcasts together; the peer has none of them. */
	readonly around?: CoresAround;
}

export interface CoresAround {
	/** workerd: the Worker, Routers and the like. */
	readonly worker: number;
	/** The runner, which takes RTMP and publishes it, in one process with the destinations. */
	readonly runner: number;
	readonly publishers: number;
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
