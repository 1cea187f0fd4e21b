import { quantile } from "../harness/statistics.ts";

/** When one person's picture was where, `performance.now()` of one process. */
export interface FramePath {
	readonly sentAtMs: number;
	/** Heard by a subscriber of the person's stream at the Router. */
	readonly atRouterMs: number;
	/** The program's picture that shows it, heard by a subscriber at the Router. */
	readonly composedAtMs: number;
	readonly receivedAtMs: number;
}

export const STAGES = ["ingest", "compose", "egress"] as const;
export type Stage = (typeof STAGES)[number];

export interface StageTimes {
	readonly p50Ms: number;
	readonly p95Ms: number;
	/** Of the mean of the whole way; all shares together are 1. */
	readonly share: number;
}

/** How long pictures take for each part of their way. Throws on no pictures. */
export function stageTimes(paths: readonly FramePath[]): Record<Stage, StageTimes> {
	if (paths.length === 0) {
		throw new RangeError("stages: expected pictures, got none");
	}
	const totalMs = sum(paths.map(({ sentAtMs, receivedAtMs }) => receivedAtMs - sentAtMs));
	const times = (valuesMs: readonly number[]): StageTimes => ({
		p50Ms: quantile(valuesMs, 0.5),
		p95Ms: quantile(valuesMs, 0.95),
		share: sum(valuesMs) / totalMs,
	});
	return {
		ingest: times(paths.map(({ sentAtMs, atRouterMs }) => atRouterMs - sentAtMs)),
		compose: times(paths.map(({ atRouterMs, composedAtMs }) => composedAtMs - atRouterMs)),
		egress: times(paths.map(({ composedAtMs, receivedAtMs }) => receivedAtMs - composedAtMs)),
	};
}

function sum(values: readonly number[]): number {
	return values.reduce((all, value) => all + value, 0);
}
