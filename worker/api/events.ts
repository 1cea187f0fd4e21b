import { createRoute, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { rolesAllowedTo } from "../auth/permissions.ts";
import { BROADCAST_EVENT_TYPES, isWanted } from "../protocol/broadcast-events.ts";
import { type ApiEnv, answers, newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";
import { idParamSchema } from "./broadcasts.ts";
import { logQuerySchema, logSchema, streamHeaderSchema, streamQuerySchema } from "./events-schema.ts";
import { allow, broadcastOf, principalFor } from "./guard.ts";

export const events = newApiApp()
	.openapi(
		createRoute({
			method: "get",
			path: "/{id}/log",
			summary: "Read back what happened to a broadcast",
			description:
				"Every event with its time, its actor and the version that the broadcast has with it; the last 10,000 of the last 30 days.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: idParamSchema, query: logQuerySchema },
			responses: answers(200, "In order", logSchema),
		}),
		async (c) => {
			const { after, limit, types } = c.req.valid("query");
			const wanted = types?.split(",");
			const query = {
				after,
				limit,
				...(wanted === undefined ? {} : { types: BROADCAST_EVENT_TYPES.filter((type) => isWanted(type, wanted)) }),
			};
			const page = valueFrom(await broadcastOf(c).log(query));
			c.header("Cache-Control", "no-store");
			return c.json({ ...page, events: page.events.map((event) => ({ ...event })) }, 200);
		},
	)
	.openapi(
		createRoute({
			method: "get",
			path: "/{id}/events",
			summary: "Stream what happens to a broadcast (server-sent events)",
			description:
				"`id` is the sequence number, `event` the type, `data` the event as in the log. A comment comes every 15 s. A reader who stops reading is cut off, and comes back with `Last-Event-ID` without missing anything that is still kept. It ends when the broadcast is deleted.",
			security: SECURED,
			middleware: [allowOnStream()] as const,
			request: { params: idParamSchema, query: streamQuerySchema, headers: streamHeaderSchema },
			responses: {
				200: {
					description: "The stream is open",
					content: { "text/event-stream": { schema: z.string() } },
				},
				default: PROBLEM_ANSWER,
			},
		}),
		async (c) => {
			const { "last-event-id": lastEventId } = c.req.valid("header");
			const after = lastEventId ?? c.req.valid("query").after;
			const query = new URLSearchParams(after === undefined ? {} : { after: String(after) });
			const { principal } = c.var;
			if (principal.role !== "admin" && principal.person !== undefined && principal.credentialsVersion !== undefined) {
				query.set("as", principal.person);
				query.set("ver", String(principal.credentialsVersion));
			}
			const response = await broadcastOf(c).fetch(new Request(`http://object/events?${query}`));
			if (!response.ok) {
				throw new ApiProblem(response.status === 404 ? "not-found" : "too-many", await response.text());
			}
			return response as never;
		},
	);

/** As {@link allow}, with the token in the address too: a browser's EventSource can set no header. */
function allowOnStream(): MiddlewareHandler<ApiEnv> {
	return async (c, next) => {
		c.set("principal", await principalFor(c, rolesAllowedTo("operate"), { query: true }));
		await next();
	};
}
