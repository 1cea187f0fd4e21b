/** Chromium with a cold profile and two decoders starts in a few seconds on a busy box; ten times that is a failure. */
export const START_TIMEOUT_MS = 30_000;
/**
 * Five heartbeats without a new frame. The Router, which sees the frames themselves, is far quicker: this finds compositors that show it none, and
 * must not take a heartbeat that a busy box sends late for their death.
 */
export const FRAMES_TIMEOUT_MS = 6_000;
/** Long enough for a runner's socket to reconnect, short enough that the audience sees the hold picture only briefly. */
export const RECONNECT_TIMEOUT_MS = 5_000;
/** Two heartbeats missed, with a second to spare for a busy box: frozen or unplugged, whatever its socket says. */
export const SILENT_AFTER_MS = 3_000;

export interface RunnerRecord {
	readonly runnerId: string;
	readonly capacity: number;
	/** Set while its socket is closed. */
	readonly goneAtMs?: number;
	/** When it last sent anything. */
	readonly heardAtMs: number;
	/** When it last lost or gave up a lease. */
	readonly lastFailureAtMs?: number;
}

export interface LeaseRecord {
	readonly leaseId: string;
	readonly broadcastId: string;
	readonly fence: number;
	/** Handed to the runner; never logged. */
	readonly token: string;
	/** Of the request that led to it, for the log. */
	readonly requestId?: string;
	readonly phase: "waiting" | "starting" | "running";
	readonly runnerId?: string;
	readonly programFrames: number;
	/** When it entered its phase, or made its last known frame. */
	readonly sinceMs: number;
}

export interface LeaseBookState {
	readonly runners: readonly RunnerRecord[];
	/** In the order they were asked for. */
	readonly leases: readonly LeaseRecord[];
}

export function emptyBook(): LeaseBookState {
	return { runners: [], leases: [] };
}

/** Whether a runner says nothing, though its socket is open: it gets no lease until it is heard again. */
export function isSilent(runner: RunnerRecord, nowMs: number): boolean {
	return nowMs - runner.heardAtMs >= SILENT_AFTER_MS;
}

/** When a lease without a new frame, or a runner without its socket, is given up; `undefined` for a lease that is only waiting. */
export function deadlineMs(record: RunnerRecord): number;
export function deadlineMs(record: LeaseRecord): number | undefined;
export function deadlineMs(record: LeaseRecord | RunnerRecord): number | undefined {
	if (!("leaseId" in record)) {
		return (record.goneAtMs ?? 0) + RECONNECT_TIMEOUT_MS;
	}
	switch (record.phase) {
		case "waiting":
			return undefined;
		case "starting":
			return record.sinceMs + START_TIMEOUT_MS;
		case "running":
			return record.sinceMs + FRAMES_TIMEOUT_MS;
	}
}
