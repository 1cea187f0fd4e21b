import { z } from "zod";
import type { EgressStatus } from "./egress-status.ts";
import { streamNameSchema } from "./roles.ts";

/** What an Egress, the CompositorPool and a runner say to each other of a destination that is published to from a runner. */

/** Destinations one runner publishes to at once: 16 of 6 Mb/s are a tenth of a gigabit line, and no load for a core. */
export const MAX_EGRESS_JOBS = 16;
/** How long a runner goes on publishing while its line to the pool is down. After that its destinations are given to others. */
export const EGRESS_KEPT_WITHOUT_POOL_MS = 10_000;
/** A runner tells how a destination does when its state changes, and else this often. */
export const EGRESS_STATUS_EVERY_MS = 1_000;
/** A test of a destination is over by then, whatever it does. */
export const DESTINATION_TEST_WITHIN_MS = 15_000;

/** Where a program is published, its address open: kept in memory only, never logged, never answered. */
export const publishTargetSchema = z.object({
	/** May hold the key in its path. */
	url: z.string(),
	streamKey: z.string().exactOptional(),
	width: z.number(),
	height: z.number(),
	frameRate: z.number(),
	videoBitrateBps: z.number(),
	audioBitrateBps: z.number(),
});
export type PublishTarget = Readonly<z.infer<typeof publishTargetSchema>>;

/** What goes on where another publisher of the same program to the same destination left off. */
export const egressCarryOverSchema = z.object({
	/** Time at the destination by now, which is the next tag's; absent when nothing was ever sent. */
	firstMs: z.number().exactOptional(),
	/** The destination has held a session, and so knows the key. */
	held: z.boolean(),
	bytes: z.number(),
	reconnects: z.number(),
	droppedTags: z.number(),
});
export type EgressCarryOver = Readonly<z.infer<typeof egressCarryOverSchema>>;

export const egressStatusSchema = z.object({
	state: z.enum(["connecting", "live", "retrying", "refused", "stopped"]),
	bytes: z.number(),
	reconnects: z.number(),
	droppedTags: z.number(),
	lastError: z.string().max(1_000).exactOptional(),
	queueMs: z.number(),
	attempts: z.number(),
}) satisfies z.ZodType<EgressStatus>;

/** How a runner's session with a destination is. `refused` and `stopped` are the last word: the job is over. */
export const egressJobReportSchema = z.object({
	status: egressStatusSchema,
	/** Time at the destination of what is made now; absent before the first tag. */
	timeMs: z.number().exactOptional(),
	held: z.boolean(),
});
export type EgressJobReport = Readonly<z.infer<typeof egressJobReportSchema>>;

export const DESTINATION_TEST_STEPS = ["dial", "handshake", "connect", "publish", "media", "end"] as const;
export type DestinationTestStep = (typeof DESTINATION_TEST_STEPS)[number];

export const destinationTestReportSchema = z.object({
	/** Every step was done. */
	ok: z.boolean(),
	/** What was done, in order, and how long each took. */
	steps: z.array(z.object({ step: z.enum(DESTINATION_TEST_STEPS), ms: z.number() })).readonly(),
	/** Why the next step was not; never holds a key. */
	error: z.string().max(1_000).exactOptional(),
	/** The destination said no, or may not be connected to: trying again would change nothing. */
	refused: z.boolean().exactOptional(),
	/** Sent in all, handshake included. */
	bytes: z.number(),
});
export type DestinationTestReport = Readonly<z.infer<typeof destinationTestReportSchema>>;

/** One destination for one runner. Handed on at once, and never stored. */
export const egressJobSchema = z.object({
	/** The name of the Egress object. */
	jobId: z.string().min(1).max(200),
	/** Rises with every runner that the job is given to; only the highest may publish. */
	fence: z.number().int().positive(),
	work: z.enum(["publish", "test"]),
	broadcastId: z.string(),
	stream: streamNameSchema,
	/** Lets the holder subscribe to the broadcast's program. A later one takes its place. */
	token: z.string(),
	target: publishTargetSchema,
	/** Private and loopback addresses are destinations like any other. */
	allowPrivate: z.boolean(),
	carryOver: egressCarryOverSchema.exactOptional(),
});
export type EgressJob = Readonly<z.infer<typeof egressJobSchema>>;

/** Which job, given how often: what a runner and the pool tell each other of who has what. */
export const egressJobNameSchema = z.object({ jobId: z.string(), fence: z.number().int().positive() });
export type EgressJobName = Readonly<z.infer<typeof egressJobNameSchema>>;

export type EgressJobAnswer =
	/** A runner has it; asking again with the same fence hands it the new token. */
	| { readonly outcome: "assigned" }
	/** No runner can take it now: ask again. */
	| { readonly outcome: "none"; readonly reason: string }
	/** A higher fence has been seen. */
	| { readonly outcome: "stale"; readonly fence: number };

/** What the pool tells an Egress of its job. Words of another fence than its own are to be ignored. */
export type EgressRunnerWord =
	| { readonly kind: "status"; readonly fence: number; readonly report: EgressJobReport }
	| { readonly kind: "tested"; readonly fence: number; readonly report: DestinationTestReport }
	/** Nobody publishes under this fence any more. */
	| { readonly kind: "lost"; readonly fence: number; readonly reason: string };
