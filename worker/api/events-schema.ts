import { z } from "@hono/zod-openapi";
import { BROADCAST_EVENT_TYPES, isWanted } from "../protocol/broadcast-events.ts";
import { MAX_WEBHOOK_URL_LENGTH } from "./webhook-address.ts";

/** A page that is read at a glance, and one that a script reads. */
const DEFAULT_LOG_LIMIT = 100;
const MAX_LOG_LIMIT = 500;
/** As many as there are types. */
const MAX_WANTED = BROADCAST_EVENT_TYPES.length;
const MAX_WANTED_LENGTH = 64;

const sequenceSchema = z.int().min(0).openapi({ description: "1, 2, 3 … of this broadcast" });
const timeSchema = z.iso.datetime();
const isKnown = (wanted: string) => BROADCAST_EVENT_TYPES.some((type) => isWanted(type, [wanted]));

const wantedSchema = z
	.array(
		z.string().max(MAX_WANTED_LENGTH).refine(isKnown, "expected a type of event, or the beginning of one up to a dot"),
	)
	.max(MAX_WANTED)
	.openapi({ description: "Types, or beginnings of types up to a dot, such as `person`; all when empty" });

export const newWebhookSchema = z
	.strictObject({
		url: z.string().min(1).max(MAX_WEBHOOK_URL_LENGTH).openapi({
			description: "https://, and public",
			example: "https://hooks.example/tandem",
		}),
		events: wantedSchema.default([]),
	})
	.openapi("NewWebhook");

const webhookFields = {
	id: z.string(),
	url: z.string(),
	events: z.array(z.string()),
	createdAt: timeSchema,
};

export const createdWebhookSchema = z
	.object({
		...webhookFields,
		secret: z.string().openapi({ description: "`whsec_…`, by which deliveries are signed; never shown again" }),
	})
	.openapi("CreatedWebhook");

export const webhookListSchema = z
	.object({
		webhooks: z.array(
			z
				.object({
					...webhookFields,
					cursor: sequenceSchema.openapi({ description: "The last event it was sent, or that was given up" }),
					pending: z.int().openapi({ description: "Events it is still to get" }),
					deadLetters: z.int(),
					failures: z.int().openapi({ description: "Attempts in a row that failed" }),
					lastError: z.string().optional(),
					nextAttemptAt: timeSchema.optional(),
				})
				.openapi("Webhook"),
		),
	})
	.openapi("WebhookList");

export const deadLetterListSchema = z
	.object({
		deadLetters: z.array(
			z
				.object({
					sequence: sequenceSchema,
					type: z.string(),
					timestamp: timeSchema,
					gaveUpAt: timeSchema,
					error: z.string(),
				})
				.openapi("DeadLetter"),
		),
	})
	.openapi("DeadLetterList");

export const replaySchema = z
	.strictObject({
		fromSequence: z.int().min(1),
		toSequence: z.int().min(1).optional().openapi({ description: "The last one; by default the last it was sent" }),
	})
	.refine(({ fromSequence, toSequence = fromSequence }) => toSequence >= fromSequence, {
		path: ["toSequence"],
		message: "expected one that does not come before fromSequence",
	})
	.openapi("Replay");

export const queuedSchema = z.object({ queued: z.int() }).openapi("Queued");

const eventSchema = z
	.object({
		broadcastId: z.string(),
		sequence: sequenceSchema,
		type: z.enum(BROADCAST_EVENT_TYPES),
		timestamp: timeSchema,
		version: z.int().openapi({ description: "The version that the broadcast has with it" }),
		actor: z.string().openapi({ description: "`admin`, a person, `schedule` or `system`" }),
		requestId: z.string().optional(),
		data: z
			.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]))
			.openapi({ description: "By the type; see docs/events.md" }),
	})
	.openapi("Event");

export const logSchema = z
	.object({
		events: z.array(eventSchema),
		next: sequenceSchema.optional().openapi({ description: "`after` of the next page; absent on the last" }),
	})
	.openapi("Log");

const afterSchema = z.coerce.number().int().min(0);

export const logQuerySchema = z.object({
	after: afterSchema.default(0).openapi({ description: "The sequence number of the last event that is known" }),
	limit: z.coerce.number().int().min(1).max(MAX_LOG_LIMIT).default(DEFAULT_LOG_LIMIT),
	types: z
		.string()
		.max(MAX_WANTED * MAX_WANTED_LENGTH)
		.refine((types) => types.split(",").every(isKnown), "expected types of events, or beginnings of them, with commas")
		.optional()
		.openapi({ description: "Types, or beginnings of types up to a dot, with commas between them" }),
});

export const streamQuerySchema = z.object({
	after: afterSchema.optional().openapi({
		description: "As `Last-Event-ID`, which counts more. Without either, only what happens from now on comes",
	}),
	token: z.string().optional().openapi({ description: "Where no header can be set, as in a browser's EventSource" }),
});
export const streamHeaderSchema = z.object({
	"last-event-id": z
		.string()
		.regex(/^\d{1,15}$/, "expected the id of an event")
		.optional(),
});
