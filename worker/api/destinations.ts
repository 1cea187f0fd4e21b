import { createRoute } from "@hono/zod-openapi";
import { answers, jsonBody, newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { valueFrom } from "./api-problem.ts";
import { idParamSchema } from "./broadcasts.ts";
import { allowedDestination } from "./destination-request.ts";
import { allow, broadcastOf } from "./guard.ts";
import { destinationListSchema, destinationSchema, newDestinationSchema } from "./schemas.ts";

const destinationParamsSchema = idParamSchema.extend({ destinationId: idParamSchema.shape.id });

export const destinations = newApiApp();

destinations.openapi(
	createRoute({
		method: "post",
		path: "/{id}/destinations",
		summary: "Add a destination, live or before",
		description: "While the broadcast is live the program goes there at once.",
		security: SECURED,
		middleware: [allow("operate")] as const,
		request: { params: idParamSchema, body: jsonBody(newDestinationSchema) },
		responses: answers(201, "Added", destinationSchema),
	}),
	async (c) => {
		const destination = allowedDestination(c.req.valid("json"), c.env);
		return c.json(valueFrom(await broadcastOf(c).addDestination(destination)), 201);
	},
);

destinations.openapi(
	createRoute({
		method: "get",
		path: "/{id}/destinations",
		summary: "List destinations",
		security: SECURED,
		middleware: [allow("operate")] as const,
		request: { params: idParamSchema },
		responses: answers(200, "All of them", destinationListSchema),
	}),
	async (c) => c.json({ destinations: [...valueFrom(await broadcastOf(c).listDestinations())] }, 200),
);

destinations.openapi(
	createRoute({
		method: "delete",
		path: "/{id}/destinations/{destinationId}",
		summary: "Take a destination off, live or not",
		security: SECURED,
		middleware: [allow("operate")] as const,
		request: { params: destinationParamsSchema },
		responses: { 204: { description: "Taken off" }, default: PROBLEM_ANSWER },
	}),
	async (c) => {
		valueFrom(await broadcastOf(c).removeDestination(c.req.valid("param").destinationId));
		return c.body(null, 204);
	},
);
