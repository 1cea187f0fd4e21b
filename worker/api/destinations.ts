import { createRoute } from "@hono/zod-openapi";
import { answers, jsonBody, newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";
import { idParamSchema } from "./broadcasts.ts";
import { allowedDestination } from "./destination-request.ts";
import { allow, broadcastIdOf, broadcastOf } from "./guard.ts";
import { runCommand } from "./run-command.ts";
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
		const destination = await allowedDestination(c.req.valid("json"), broadcastIdOf(c), c.env);
		const { broadcast } = await runCommand(c, { type: "add-destination", ...destination });
		const added = broadcast.destinations.find(({ id }) => id === destination.id);
		if (added === undefined) {
			throw new ApiProblem("not-found", "destination: expected the one that was added, got it taken off meanwhile");
		}
		return c.json(added, 201);
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
	async (c) => c.json({ destinations: [...valueFrom(await broadcastOf(c).view()).destinations] }, 200),
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
		await runCommand(c, { type: "remove-destination", destinationId: c.req.valid("param").destinationId });
		return c.body(null, 204);
	},
);
