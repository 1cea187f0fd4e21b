import { createRoute, z } from "@hono/zod-openapi";
import { MS_PER_SECOND } from "../../media/units.ts";
import { type Principal, rolesAllowedTo } from "../auth/permissions.ts";
import { newBroadcastId } from "../auth/random-id.ts";
import { newStreamKeys } from "../auth/stream-key.ts";
import { limitsOf } from "../limits.ts";
import { GUEST_IDS, type PersonId } from "../protocol/roles.ts";
import { answers, jsonBody, newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { valueFrom } from "./api-problem.ts";
import { broadcastAnswer, createdAnswer } from "./broadcast-answers.ts";
import { newSettings, settingsChanges } from "./broadcast-request.ts";
import { allowedDestination } from "./destination-request.ts";
import { isKnown } from "./entity-tag.ts";
import { allow, broadcastOf } from "./guard.ts";
import { requiredSigningKey } from "./new-credentials.ts";
import { limitCreation } from "./rate-limit.ts";
import { commandContext, runCommand, tagged } from "./run-command.ts";
import {
	broadcastChangesSchema,
	broadcastSchema,
	createdBroadcastSchema,
	layoutChangeSchema,
	newBroadcastSchema,
} from "./schemas.ts";
import { broadcastStatsSchema } from "./stats-schema.ts";
import { roomForOneMore, withinLimits } from "./within-limits.ts";

export const idParamSchema = z.object({ id: z.string().openapi({ description: "The broadcast" }) });
/** For requests that `runCommand` serves. Of no type, so that a typed client need not say that it sends none. */
export const mayMatch: object = {
	headers: z.object({
		"if-match": z.string().optional().openapi({ description: "The entity tag it must still have; 412 otherwise" }),
	}),
};

export const broadcasts = newApiApp()
	.openapi(
		createRoute({
			method: "post",
			path: "/",
			summary: "Create a broadcast",
			description: "For the admin. Tokens and stream keys are in this answer and in no other.",
			security: SECURED,
			middleware: [allow("manage"), limitCreation()] as const,
			request: { body: jsonBody(newBroadcastSchema) },
			responses: answers(201, "Created: scheduled, or in the lobby where it has no start", createdBroadcastSchema),
		}),
		async (c) => {
			const signingKey = requiredSigningKey(c.env);
			const { creation } = c.var;
			const id = creation?.broadcastId ?? newBroadcastId();
			const nowMs = Date.now();
			const request = c.req.valid("json");
			const settings = newSettings(request, nowMs);
			withinLimits(request, limitsOf(c.env));
			await roomForOneMore(c.env, limitsOf(c.env));
			const destinations = await Promise.all(request.destinations.map((each) => allowedDestination(each, id, c.env)));
			const people: PersonId[] = ["host", ...GUEST_IDS.slice(0, settings.maxGuests)];
			const { keys, hashes } = await newStreamKeys(id, people, creation?.streamKey);
			const created = valueFrom(
				await c.env.BROADCAST.getByName(id).create(
					{ ...settings, id, streamKeyHashes: hashes, destinations },
					commandContext(c),
				),
			);
			const { origin } = new URL(c.req.url);
			const site = { origin, rtmpUrl: c.env.RTMP_INGEST_URL, signingKey, nowS: nowMs / MS_PER_SECOND };
			tagged(c, created);
			c.header("Location", `/api/broadcasts/${id}`);
			c.header("Cache-Control", "no-store");
			return c.json(await createdAnswer(created, keys, site), 201);
		},
	)
	.openapi(
		createRoute({
			method: "get",
			path: "/{id}",
			summary: "Get a broadcast",
			security: SECURED,
			middleware: [allow("view")] as const,
			request: { params: idParamSchema },
			responses: {
				...answers(200, "The broadcast", broadcastSchema),
				304: { description: "The client has this version" },
			},
		}),
		async (c) => {
			const broadcast = valueFrom(await broadcastOf(c).view());
			tagged(c, broadcast);
			if (isKnown(c.req.header("If-None-Match"), broadcast.version)) {
				return c.body(null, 304);
			}
			const destinations = seesDestinations(c.var.principal) ? broadcast.destinations : [];
			return c.json(broadcastAnswer({ ...broadcast, destinations }), 200);
		},
	)
	.openapi(
		createRoute({
			method: "patch",
			path: "/{id}",
			summary: "Change settings, or the time of the start",
			description: "Size, frame rate, bitrate and what belongs to the schedule only before it is live.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: idParamSchema, ...mayMatch, body: jsonBody(broadcastChangesSchema) },
			responses: answers(200, "The broadcast, changed", broadcastSchema),
		}),
		async (c) => {
			const request = c.req.valid("json");
			withinLimits(request, limitsOf(c.env));
			const changes = settingsChanges(request, Date.now());
			return c.json(broadcastAnswer((await runCommand(c, { type: "update", changes })).broadcast), 200);
		},
	)
	.openapi(
		createRoute({
			method: "post",
			path: "/{id}/cancel",
			summary: "Cancel a broadcast that is not live",
			description: "Idempotent: a broadcast that was cancelled stays as it is.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: idParamSchema, ...mayMatch },
			responses: answers(200, "It is cancelled", broadcastSchema),
		}),
		async (c) => c.json(broadcastAnswer((await runCommand(c, { type: "cancel" })).broadcast), 200),
	)
	.openapi(
		createRoute({
			method: "delete",
			path: "/{id}",
			summary: "Delete a broadcast that is not live",
			security: SECURED,
			middleware: [allow("manage")] as const,
			request: { params: idParamSchema, ...mayMatch },
			responses: { 204: { description: "Deleted" }, default: PROBLEM_ANSWER },
		}),
		async (c) => {
			await runCommand(c, { type: "delete" });
			return c.body(null, 204);
		},
	)
	.openapi(
		createRoute({
			method: "post",
			path: "/{id}/start",
			summary: "Go live",
			description: "Idempotent: a broadcast that is live stays as it is. One that has ended cannot start again.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: idParamSchema, ...mayMatch },
			responses: answers(200, "It is live", broadcastSchema),
		}),
		async (c) => c.json(broadcastAnswer((await runCommand(c, { type: "start" })).broadcast), 200),
	)
	.openapi(
		createRoute({
			method: "post",
			path: "/{id}/end",
			summary: "End for good",
			description:
				"Idempotent: a broadcast that has ended stays as it is. Takes some seconds, and ends it all the same, when parts of it do not answer.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: idParamSchema, ...mayMatch },
			responses: answers(200, "It has ended", broadcastSchema),
		}),
		async (c) => c.json(broadcastAnswer((await runCommand(c, { type: "end" })).broadcast), 200),
	)
	.openapi(
		createRoute({
			method: "put",
			path: "/{id}/layout",
			summary: "Change the layout, live or before",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: idParamSchema, ...mayMatch, body: jsonBody(layoutChangeSchema) },
			responses: answers(200, "The broadcast, with its new layout", broadcastSchema),
		}),
		async (c) => {
			const { layout } = c.req.valid("json");
			return c.json(broadcastAnswer((await runCommand(c, { type: "set-scene", layout })).broadcast), 200);
		},
	)
	.openapi(
		createRoute({
			method: "get",
			path: "/{id}/stats",
			summary: "Figures per source, per stage and per destination",
			description: "What does not answer within two seconds is named in `unanswered`; its figures are left out.",
			security: SECURED,
			middleware: [allow("stats")] as const,
			request: { params: idParamSchema },
			responses: answers(200, "As they are now", broadcastStatsSchema),
		}),
		async (c) => {
			const { sources, call, destinations, unanswered, ...same } = valueFrom(await broadcastOf(c).stats());
			const answer = {
				...same,
				sources: sources.map((source) => ({ ...source, subscribers: [...source.subscribers] })),
				call: [...call],
				destinations: seesDestinations(c.var.principal) ? [...destinations] : [],
				unanswered: [...unanswered],
			};
			c.header("Cache-Control", "no-store");
			return c.json(answer, 200);
		},
	);

/** Where a program goes is the operators' to know: a guest, who may not list destinations, is shown none elsewhere either. */
function seesDestinations({ role }: Principal): boolean {
	return rolesAllowedTo("operate").includes(role);
}
