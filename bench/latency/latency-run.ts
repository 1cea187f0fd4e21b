import { quantile } from "../harness/statistics.ts";
import { unseenShare } from "./frame-delays.ts";
import type { Stage, StageTimes } from "./stage-times.ts";
import type { SeenPerson } from "./watched.ts";

/** One run of one contender. */
export interface LatencyRun {
	readonly p50Ms: number;
	readonly p95Ms: number;
	readonly maxMs: number;
	/** Share of the pictures sent that nobody saw. */
	readonly unseen: number;
	/** Of ours alone. */
	readonly inside?: InsideTandem;
}

export interface InsideTandem {
	readonly stages: Readonly<Record<Stage, StageTimes>>;
	/** By the compositor's own figures, of the last ten seconds. */
	readonly inPage: Readonly<Record<"inputToEncoded" | "decode" | "composite" | "encode", Quantiles>>;
	/** Mean of the two people's delays of play-out in the jitter buffer, at the end. */
	readonly playOutDelayMs: number;
}

export interface Quantiles {
	readonly p50: number;
	readonly p95: number;
}

/** All people's pictures together. Throws where nothing was seen of one of them. */
export function latencyRun(people: readonly SeenPerson[], inside?: InsideTandem): LatencyRun {
	const unseenOf = people.map(({ talker, delays }) => {
		if (delays.length === 0) {
			throw new Error(`latency: expected pictures of the ${talker}, got none`);
		}
		return unseenShare(delays);
	});
	const delaysMs = people.flatMap(({ delays }) => delays.map(({ sentAtMs, receivedAtMs }) => receivedAtMs - sentAtMs));
	return {
		p50Ms: quantile(delaysMs, 0.5),
		p95Ms: quantile(delaysMs, 0.95),
		maxMs: Math.max(...delaysMs),
		unseen: unseenOf.reduce((sum, share) => sum + share, 0) / unseenOf.length,
		...(inside === undefined ? {} : { inside }),
	};
}
