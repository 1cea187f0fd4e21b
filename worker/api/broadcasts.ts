import { createRoute, z } from "@hono/zod-openapi";
import { newBroadcastId } from "../auth/random-id.ts";
import { signingKeyOf } from "../auth/signing-key.ts";
import { BroadcastTable } from "../broadcast/broadcast-index.ts";
import { answers, jsonBody, newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";
import { broadcastAnswer, createdAnswer, summaryAnswer } from "./broadcast-answers.ts";
import { allowedDestination } from "./destination-request.ts";
import { allow, broadcastOf } from "./guard.ts";
import { readCursor, writeCursor } from "./page-cursor.ts";
import {
	broadcastPageSchema,
	broadcastSchema,
	createdBroadcastSchema,
	layoutChangeSchema,
	listQuerySchema,
	newBroadcastSchema,
} from "./schemas.ts";
import { broadcastStatsSchema } from "./stats-schema.ts";

export const idParamSchema = z.object({ id: z.string().openapi({ description: "The broadcast" }) });

export const broadcasts = newApiApp();

broadcasts.openapi(
	createRoute({
		method: "post",
		path: "/",
		summary: "Create a broadcast",
		description: "For the admin. Tokens and stream keys are in this answer and in no other.",
		security: SECURED,
		middleware: [allow("manage")] as const,
		request: { body: jsonBody(newBroadcastSchema) },
		responses: answers(201, "Created, in the lobby", createdBroadcastSchema),
	}),
	async (c) => {
		const { videoBitrate, description, destinations, startMode: _s, record: _r, ...same } = c.req.valid("json");
		const allowed = destinations.map((destination) => allowedDestination(destination, c.env));
		const signingKey = signingKeyOf(c.env);
		if (signingKey === undefined) {
			throw new ApiProblem(
				"not-configured",
				"auth: expected the secret SIGNING_KEY to be set, got none that is long enough",
			);
		}
		const id = newBroadcastId();
		const created = valueFrom(
			await c.env.BROADCAST.getByName(id).create({
				...same,
				id,
				videoBitrateBps: videoBitrate,
				destinations: allowed,
				...(description === undefined ? {} : { description }),
			}),
		);
		const { origin } = new URL(c.req.url);
		const site = { origin, rtmpUrl: c.env.RTMP_INGEST_URL, signingKey, nowS: Date.now() / 1_000 };
		c.header("Location", `/api/broadcasts/${id}`);
		c.header("Cache-Control", "no-store");
		return c.json(await createdAnswer(created, site), 201);
	},
);

broadcasts.openapi(
	createRoute({
		method: "get",
		path: "/",
		summary: "List broadcasts, newest first",
		security: SECURED,
		middleware: [allow("manage")] as const,
		request: { query: listQuerySchema },
		responses: answers(200, "One page", broadcastPageSchema),
	}),
	async (c) => {
		const { status, limit, cursor } = c.req.valid("query");
		const rows = await new BroadcastTable(c.env.INDEX).list({
			...(status === undefined ? {} : { status }),
			...(cursor === undefined ? {} : { after: readCursor(cursor) }),
			// One more than asked for tells whether there is another page.
			limit: limit + 1,
		});
		const page = rows.slice(0, limit);
		const last = rows.length > limit ? page.at(-1) : undefined;
		const nextCursor = last && { nextCursor: writeCursor({ createdAtMs: last.created_at_ms, id: last.id }) };
		return c.json({ broadcasts: page.map(summaryAnswer), ...nextCursor }, 200);
	},
);

broadcasts.openapi(
	createRoute({
		method: "get",
		path: "/{id}",
		summary: "Get a broadcast",
		security: SECURED,
		middleware: [allow("view")] as const,
		request: { params: idParamSchema },
		responses: answers(200, "The broadcast", broadcastSchema),
	}),
	async (c) => c.json(broadcastAnswer(valueFrom(await broadcastOf(c).view())), 200),
);

broadcasts.openapi(
	createRoute({
		method: "delete",
		path: "/{id}",
		summary: "Delete a broadcast that is not live",
		security: SECURED,
		middleware: [allow("manage")] as const,
		request: { params: idParamSchema },
		responses: { 204: { description: "Deleted" }, default: PROBLEM_ANSWER },
	}),
	async (c) => {
		valueFrom(await broadcastOf(c).remove());
		return c.body(null, 204);
	},
);

broadcasts.openapi(
	createRoute({
		method: "post",
		path: "/{id}/start",
		summary: "Go live",
		description: "Idempotent: a broadcast that is live stays as it is. One that has ended cannot start again.",
		security: SECURED,
		middleware: [allow("operate")] as const,
		request: { params: idParamSchema },
		responses: answers(200, "It is live", broadcastSchema),
	}),
	async (c) => c.json(broadcastAnswer(valueFrom(await broadcastOf(c).start())), 200),
);

broadcasts.openapi(
	createRoute({
		method: "post",
		path: "/{id}/end",
		summary: "End for good",
		description:
			"Idempotent: a broadcast that has ended stays as it is. Takes some seconds, and ends it all the same, when parts of it do not answer.",
		security: SECURED,
		middleware: [allow("operate")] as const,
		request: { params: idParamSchema },
		responses: answers(200, "It has ended", broadcastSchema),
	}),
	async (c) => {
		const by = `the ${c.var.principal.role}`;
		return c.json(broadcastAnswer(valueFrom(await broadcastOf(c).end(by))), 200);
	},
);

broadcasts.openapi(
	createRoute({
		method: "put",
		path: "/{id}/layout",
		summary: "Change the layout, live or before",
		security: SECURED,
		middleware: [allow("operate")] as const,
		request: { params: idParamSchema, body: jsonBody(layoutChangeSchema) },
		responses: answers(200, "The broadcast, with its new layout", broadcastSchema),
	}),
	async (c) => c.json(broadcastAnswer(valueFrom(await broadcastOf(c).setLayout(c.req.valid("json").layout))), 200),
);

broadcasts.openapi(
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
		const { sources, destinations, unanswered, ...same } = valueFrom(await broadcastOf(c).stats());
		const answer = {
			...same,
			sources: sources.map((source) => ({ ...source, subscribers: [...source.subscribers] })),
			destinations: [...destinations],
			unanswered: [...unanswered],
		};
		c.header("Cache-Control", "no-store");
		return c.json(answer, 200);
	},
);
