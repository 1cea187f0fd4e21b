import { z } from "zod";
import {
	destinationTestReportSchema,
	egressJobNameSchema,
	egressJobReportSchema,
	egressJobSchema,
	MAX_EGRESS_JOBS,
} from "./egress-jobs.ts";

/** Messages of the runner socket, `GET /api/runners/connect`, bearer token `RUNNER_TOKEN` (JSON text). Runners dial in. */

/** How often a runner reports, and how long a lease lives without its frame counter rising. */
export const HEARTBEAT_EVERY_MS = 1_000;

export const leaseStateSchema = z.enum(["starting", "running"]);

/** Runner → CompositorPool. */
export const runnerMessageSchema = z.discriminatedUnion("type", [
	z.object({
		type: z.literal("hello"),
		runnerId: z.string().min(1).max(64),
		/** How many compositors it can run at once. */
		capacity: z.number().int().min(0).max(256),
		/** Leases it still holds from before a reconnect. */
		leaseIds: z.array(z.string()).max(256),
		/** How many destinations it can publish to at once: none, for a runner of an older version. */
		egressPlaces: z.number().int().min(0).max(MAX_EGRESS_JOBS).default(0),
		/** Destinations it still publishes to from before a reconnect. */
		egressJobs: z.array(egressJobNameSchema).max(MAX_EGRESS_JOBS).default([]),
	}),
	z.object({
		type: z.literal("heartbeat"),
		leases: z
			.array(
				z.object({
					leaseId: z.string(),
					state: leaseStateSchema,
					/** Program frames encoded so far: this, not the process, is what shows life. */
					programFrames: z.number().int().nonnegative(),
				}),
			)
			.max(256),
	}),
	/** The runner ended the assignment, on request or because it could not go on. */
	z.object({ type: z.literal("released"), leaseId: z.string(), reason: z.string().max(500) }),
	z.object({ type: z.literal("egress-status"), ...egressJobNameSchema.shape, report: egressJobReportSchema }),
	z.object({ type: z.literal("egress-tested"), ...egressJobNameSchema.shape, report: destinationTestReportSchema }),
	/** The runner gave the job up without a goodbye to the destination: another may go on with it. */
	z.object({ type: z.literal("egress-lost"), ...egressJobNameSchema.shape, reason: z.string().max(500) }),
]);
export type RunnerMessage = z.output<typeof runnerMessageSchema>;

/** CompositorPool → runner. */
export const poolMessageSchema = z.discriminatedUnion("type", [
	z.object({
		type: z.literal("assign"),
		leaseId: z.string(),
		broadcastId: z.string(),
		/** Rises with every lease of the broadcast; the Router hears only the highest. */
		fence: z.number().int().positive(),
		/** A `compositor` role token for that broadcast and fence. */
		token: z.string(),
		/** Of the request that led to it, for the log. */
		requestId: z.string().max(64).optional(),
	}),
	z.object({ type: z.literal("release"), leaseId: z.string() }),
	/** Publish to this destination; for a job it has already, under the same fence, only the token is new. Holds an address and key: never logged. */
	z.object({ type: z.literal("egress-start"), job: egressJobSchema }),
	/** `final`: say goodbye to the destination (FCUnpublish); without it the line is dropped, since another goes on with it. */
	z.object({ type: z.literal("egress-stop"), ...egressJobNameSchema.shape, final: z.boolean() }),
]);
export type PoolMessage = z.infer<typeof poolMessageSchema>;

/**
 * What the runner hands to the compositor page through the page's global `tandemStart(assignment)`.
 * `apiUrl` is the Worker's origin, such as `http://127.0.0.1:8787`.
 */
export interface CompositorAssignment {
	readonly apiUrl: string;
	readonly broadcastId: string;
	readonly fence: number;
	readonly token: string;
	/** Of the request that led to it, for the log. */
	readonly requestId?: string;
}

/** What the page answers through its global `tandemStatus()`. `failed` is final: the runner replaces the page. */
export interface CompositorPageStatus {
	readonly state: "idle" | "starting" | "running" | "failed" | "closed";
	readonly programFrames: number;
	/** Why, when `failed` or `closed`; never contains a token. */
	readonly reason?: string;
}
