import { z } from "zod";
import { compositorStatsSchema } from "./compositor-stats.ts";
import { gainSchema, layoutNameSchema, liveCommandSchema } from "./live-commands.ts";
import { personIdSchema } from "./roles.ts";
import { callEventSchemas, callRequestSchemas } from "./signaling.ts";

/** Messages of the control socket, `GET /api/broadcasts/{id}/control` (JSON text). Token as on the media socket. */

/** As `ProgramSource` of the objects' own protocol. */
export const programSourceSchema = z.enum(["none", "composite", "host", "hold"]);

export const scenePersonSchema = z.object({
	id: personIdSchema,
	/** Shown on the label and the card. */
	name: z.string(),
	/** Linear gain, 1 is unchanged. */
	gain: gainSchema,
	/** Their media is coming: a compositor is not ready before it shows them. */
	expected: z.boolean(),
});

/** Everything a compositor needs to make the one scene; sent on connecting and on every change. */
export const sceneSchema = z.object({
	layout: layoutNameSchema,
	/** Whether names are shown; they are where it is absent. */
	labels: z.boolean().optional(),
	width: z.number().int(),
	height: z.number().int(),
	frameRate: z.number().int(),
	videoBitrateBps: z.number().int(),
	audioBitrateBps: z.number().int(),
	/** Seconds between key frames. */
	keyFrameIntervalS: z.number(),
	/** In layout order: the first fills `solo` and the large place of `pip`. */
	people: z.array(scenePersonSchema),
});
export type Scene = z.infer<typeof sceneSchema>;
export type ScenePerson = z.infer<typeof scenePersonSchema>;

/** Of a client's own choice, to tell answers apart. */
const requestIdSchema = z.union([z.string().max(64), z.number().int()]);
export type RequestId = z.infer<typeof requestIdSchema>;
/** What of a request that is not right may still be: by what its answer is waited for. */
export const commandIdSchema = z.object({ id: requestIdSchema.optional() });

const statusPersonSchema = z.object({
	id: personIdSchema,
	name: z.string(),
	/** Their media is coming. */
	live: z.boolean(),
	/** May be on air. */
	admitted: z.boolean(),
	muted: z.boolean(),
});

/**
 * Client → Broadcast. `command` is answered by `done` or `error`, each with its `id`; one that ends the broadcast, or takes the asker out of it, by the
 * socket's closing.
 */
export const controlRequestSchema = z.discriminatedUnion("type", [
	z.object({ type: z.literal("set-layout"), layout: layoutNameSchema, scene: z.literal("main").optional() }),
	z.object({ type: z.literal("command"), id: requestIdSchema.optional(), command: liveCommandSchema }),
	z.object({ type: z.literal("compositor-stats"), stats: compositorStatsSchema }),
	...callRequestSchemas,
	z.object({ type: z.literal("ping") }),
]);
export type ControlRequest = z.infer<typeof controlRequestSchema>;

/** Broadcast → client. `scene` goes to compositors, `status` and `stats` to everyone else, `error` answers a request that was refused. */
export const controlEventSchema = z.discriminatedUnion("type", [
	z.object({ type: z.literal("scene"), scene: sceneSchema }),
	z.object({
		type: z.literal("status"),
		status: z.string(),
		layout: layoutNameSchema,
		/** Streams with a publisher now. */
		liveStreams: z.array(z.string()),
		/** What the program is made of now. */
		program: programSourceSchema.optional(),
		/** Of the broadcast, as its entity tag: what is older than what came before is to be passed over. */
		version: z.number().int().optional(),
		/** Whether names are shown. */
		labels: z.boolean().optional(),
		/** Who comes first in the picture, where that was chosen. */
		order: z.array(personIdSchema).optional(),
		people: z.array(statusPersonSchema).optional(),
	}),
	z.object({ type: z.literal("stats"), stats: compositorStatsSchema }),
	/** The command was carried out, and the broadcast has this version or a later one. */
	z.object({ type: z.literal("done"), id: requestIdSchema.optional(), version: z.number().int() }),
	z.object({
		type: z.literal("error"),
		id: requestIdSchema.optional(),
		title: z.string(),
		detail: z.string(),
		/** Where a state was wrong: those in which it is legal, and the one there is. */
		expected: z.array(z.string()).optional(),
		found: z.string().optional(),
	}),
	...callEventSchemas,
	z.object({ type: z.literal("pong") }),
]);
export type ControlEvent = z.infer<typeof controlEventSchema>;

/** The edge answers exactly this text with exactly that, without waking the broadcast's object: byte for byte, so one place writes both. */
export const CONTROL_PING_TEXT = JSON.stringify({ type: "ping" } satisfies ControlRequest);
export const CONTROL_PONG_TEXT = JSON.stringify({ type: "pong" } satisfies ControlEvent);
