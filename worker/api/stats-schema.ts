import { z } from "@hono/zod-openapi";
import { compositorStatsSchema } from "../protocol/compositor-stats.ts";
import { programSourceSchema } from "../protocol/control-messages.ts";
import { PERSON_IDS, STREAM_NAMES } from "../protocol/roles.ts";
import { destinationSchema, layoutSchema, statusSchema } from "./schemas.ts";

const sourceSchema = z.object({
	stream: z.enum(STREAM_NAMES),
	publisherConnected: z.boolean(),
	asleep: z.boolean().optional().openapi({
		description: "Of a browser's stream that can pause: whether it does, since the compositor has the person by WebRTC",
	}),
	videoCodec: z.enum(["avc", "vp8", "vp9", "av1"]).optional(),
	audioCodec: z.enum(["aac", "opus"]).optional(),
	width: z.number().optional(),
	height: z.number().optional(),
	frameRate: z.number().optional(),
	bitrateBps: z.number(),
	tags: z.number(),
	lastTagAgeMs: z.number().optional(),
	subscribers: z.array(z.object({ id: z.string(), ackLagMs: z.number(), skippedTags: z.number() })),
});

const egressSchema = z.object({
	state: z.enum(["connecting", "live", "retrying", "refused", "stopped"]),
	bytes: z.number(),
	reconnects: z.number(),
	droppedTags: z.number(),
	lastError: z.string().optional(),
	queueMs: z.number(),
	attempts: z.number(),
});

const programSchema = z
	.object({
		source: programSourceSchema.openapi({
			description: "What the program is made of now: the compositor's picture, the host's own, or the last one again",
		}),
		sinceMs: z.number().openapi({ description: "How long it has been that" }),
		switches: z.number().openapi({ description: "Changes of source since the program began" }),
		heldMs: z.number().openapi({ description: "Time spent in hold, in all" }),
	})
	.openapi("ProgramStats");

export const broadcastStatsSchema = z
	.object({
		status: statusSchema,
		layout: layoutSchema,
		broadcast: z
			.object({
				version: z.int(),
				controlSockets: z.int(),
				failedRounds: z.int().openapi({ description: "Rounds of work in a row in which something failed" }),
			})
			.openapi({ description: "Of the broadcast's own object" }),
		viewers: z.int().openapi({ description: "People who wait or watch; up to half a minute old" }),
		sources: z.array(sourceSchema),
		program: programSchema.optional(),
		call: z
			.array(
				z.object({
					id: z.enum(PERSON_IDS),
					leg: z
						.enum(["real-time", "whip"])
						.openapi({ description: "By their own page, or by an encoder that speaks WHIP" }),
					realTime: z.boolean().openapi({ description: "WebRTC works for them" }),
					atCompositor: z.boolean().openapi({ description: "Their media comes to the compositor by WebRTC" }),
					away: z.boolean().openapi({ description: "Their control socket is broken, and is waited for" }),
				}),
			)
			.openapi({ description: "Who is in the call" }),
		unanswered: z.array(z.string()).openapi({
			description: "What did not answer in time: `router` (no sources, no program), or a destination's id",
		}),
		compositor: z.object({
			lease: z.enum(["none", "requesting", "waiting", "assigned", "running", "retrying"]),
			fence: z.int(),
			lastFailure: z.string().optional().openapi({ description: "Why the last compositor was lost or refused" }),
			reported: z
				.object({ ageMs: z.number(), stats: compositorStatsSchema })
				.optional()
				.openapi({ description: "The last figures of the compositor, stage by stage" }),
		}),
		destinations: z.array(destinationSchema.extend({ egress: egressSchema.optional() })),
	})
	.openapi("BroadcastStats");
