import { createRoute } from "@hono/zod-openapi";
import { randomCode } from "../auth/random-id.ts";
import { seal, sealingKeyOf } from "../auth/sealing.ts";
import { webhookUse } from "../broadcast/events/webhook-message.ts";
import { newWebhookSecret } from "../broadcast/events/webhook-signature.ts";
import type { DeadLetter, WebhookStatus } from "../protocol/broadcast-events.ts";
import { answers, jsonBody, newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";
import { idParamSchema, mayMatch } from "./broadcasts.ts";
import {
	createdWebhookSchema,
	deadLetterListSchema,
	newWebhookSchema,
	queuedSchema,
	replaySchema,
	webhookListSchema,
} from "./events-schema.ts";
import { allow, broadcastIdOf, broadcastOf } from "./guard.ts";
import { runCommand } from "./run-command.ts";
import { checkWebhookAddress } from "./webhook-address.ts";

/** Unique within one broadcast. */
const WEBHOOK_ID_LENGTH = 12;

const webhookParamsSchema = idParamSchema.extend({ webhookId: idParamSchema.shape.id });

export const webhooks = newApiApp()
	.openapi(
		createRoute({
			method: "post",
			path: "/{id}/webhooks",
			summary: "Have events sent to an address",
			description:
				"As Standard Webhooks, in order, until 24 h after each event. The first it gets is that it was added. Its secret is in this answer and in no other.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: idParamSchema, ...mayMatch, body: jsonBody(newWebhookSchema) },
			responses: answers(201, "Added", createdWebhookSchema),
		}),
		async (c) => {
			const { url: asked, events } = c.req.valid("json");
			const broadcastId = broadcastIdOf(c);
			const url = valueFrom(checkWebhookAddress(asked, { allowPrivate: c.env.ALLOW_PRIVATE_DESTINATIONS === "1" }));
			if (sealingKeyOf(c.env) === undefined) {
				throw new ApiProblem(
					"not-configured",
					"webhook: expected the secret ENCRYPTION_KEY to be 32 bytes in base64, got none or fewer",
				);
			}
			const secret = newWebhookSecret();
			const webhookId = randomCode(WEBHOOK_ID_LENGTH);
			const sealedSecret = await seal(secret, c.env, webhookUse(broadcastId));
			await runCommand(c, { type: "add-webhook", webhookId, url, sealedSecret, events });
			c.header("Cache-Control", "no-store");
			return c.json({ id: webhookId, url, events, createdAt: timeOf(Date.now()), secret }, 201);
		},
	)
	.openapi(
		createRoute({
			method: "get",
			path: "/{id}/webhooks",
			summary: "List webhooks, and how far their deliveries have come",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: idParamSchema },
			responses: answers(200, "All of them", webhookListSchema),
		}),
		async (c) => {
			const statuses = valueFrom(await broadcastOf(c).webhookStatuses());
			c.header("Cache-Control", "no-store");
			return c.json({ webhooks: statuses.map(webhookAnswer) }, 200);
		},
	)
	.openapi(
		createRoute({
			method: "delete",
			path: "/{id}/webhooks/{webhookId}",
			summary: "Take a webhook off",
			description: "It gets nothing from then on, not even what was waiting for it.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: webhookParamsSchema, ...mayMatch },
			responses: { 204: { description: "Taken off" }, default: PROBLEM_ANSWER },
		}),
		async (c) => {
			await runCommand(c, { type: "remove-webhook", webhookId: c.req.valid("param").webhookId });
			return c.body(null, 204);
		},
	)
	.openapi(
		createRoute({
			method: "get",
			path: "/{id}/webhooks/{webhookId}/dead-letters",
			summary: "List events that a webhook did not take within 24 h",
			description: "Replay sends them again; those that are then taken leave the list.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: webhookParamsSchema },
			responses: answers(200, "In order", deadLetterListSchema),
		}),
		async (c) => {
			const letters = valueFrom(await broadcastOf(c).deadLetters(c.req.valid("param").webhookId));
			return c.json({ deadLetters: letters.map(deadLetterAnswer) }, 200);
		},
	)
	.openapi(
		createRoute({
			method: "post",
			path: "/{id}/webhooks/{webhookId}/replay",
			summary: "Send events to a webhook again",
			description:
				"In order, before what is new, and at once. Each has the same `webhook-id` as before. One that is asked for during another is joined with it.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: webhookParamsSchema, body: jsonBody(replaySchema) },
			responses: answers(202, "So many are to be sent again", queuedSchema),
		}),
		async (c) => {
			const { fromSequence, toSequence } = c.req.valid("json");
			const range = { fromSequence, ...(toSequence === undefined ? {} : { toSequence }) };
			const { queued } = valueFrom(await broadcastOf(c).replay(c.req.valid("param").webhookId, range));
			return c.json({ queued }, 202);
		},
	);

function webhookAnswer({ createdAtMs, nextAttemptMs, events, ...status }: WebhookStatus) {
	return {
		...status,
		events: [...events],
		createdAt: timeOf(createdAtMs),
		...(nextAttemptMs === undefined ? {} : { nextAttemptAt: timeOf(nextAttemptMs) }),
	};
}

function deadLetterAnswer({ sequence, type, eventAtMs, gaveUpAtMs, error }: DeadLetter) {
	return { sequence, type, timestamp: timeOf(eventAtMs), gaveUpAt: timeOf(gaveUpAtMs), error };
}

function timeOf(timeMs: number): string {
	return new Date(timeMs).toISOString();
}
