import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import type {
	BroadcastCommand,
	BroadcastView,
	DestinationView,
	SealedAddress,
} from "../protocol/broadcast-commands.ts";
import { type ApiEnv, answers, jsonBody, newApiApp, PROBLEM_ANSWER, SECURED } from "./api-app.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";
import { idParamSchema, mayMatch } from "./broadcasts.ts";
import { addressUnderKey, allowedDestination } from "./destination-request.ts";
import { isKnown } from "./entity-tag.ts";
import { allow, broadcastIdOf, broadcastOf } from "./guard.ts";
import { runCommand, tagged } from "./run-command.ts";
import {
	destinationChangesSchema,
	destinationListSchema,
	destinationSchema,
	destinationTestSchema,
	newDestinationSchema,
} from "./schemas.ts";

const destinationParamsSchema = idParamSchema.extend({ destinationId: idParamSchema.shape.id });

export const destinations = newApiApp()
	.openapi(
		createRoute({
			method: "post",
			path: "/{id}/destinations",
			summary: "Add a destination, live or before",
			description:
				"While the broadcast is live the program goes there at once. Limits of its service that the program does not keep are `warnings`; what can never work is refused. One address and key can be there once, however it is written.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: idParamSchema, ...mayMatch, body: jsonBody(newDestinationSchema) },
			responses: answers(201, "Added", destinationSchema),
		}),
		async (c) => {
			const destination = await allowedDestination(c.req.valid("json"), broadcastIdOf(c), c.env);
			const { broadcast } = await runCommand(c, { type: "add-destination", ...destination });
			return c.json(destinationIn(broadcast, destination.id), 201);
		},
	)
	.openapi(
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
	)
	.openapi(
		createRoute({
			method: "get",
			path: "/{id}/destinations/{destinationId}",
			summary: "Get a destination",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: destinationParamsSchema },
			responses: {
				...answers(200, "The destination", destinationSchema),
				304: { description: "The client has this version" },
			},
		}),
		async (c) => {
			const broadcast = valueFrom(await broadcastOf(c).view());
			const destination = destinationIn(broadcast, c.req.valid("param").destinationId);
			tagged(c, broadcast);
			if (isKnown(c.req.header("If-None-Match"), broadcast.version)) {
				return c.body(null, 304);
			}
			return c.json(destination, 200);
		},
	)
	.openapi(
		createRoute({
			method: "patch",
			path: "/{id}/destinations/{destinationId}",
			summary: "Rename a destination, or change its key",
			description:
				"Live or before. With another key, and after a refusal with the same one, the program's way there begins anew; the other destinations do not notice.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: destinationParamsSchema, ...mayMatch, body: jsonBody(destinationChangesSchema) },
			responses: answers(200, "The destination, changed", destinationSchema),
		}),
		async (c) => {
			const { destinationId } = c.req.valid("param");
			const { name, allowBFrames, streamKey } = c.req.valid("json");
			const command: BroadcastCommand = {
				type: "update-destination",
				destinationId,
				...(name === undefined ? {} : { name }),
				...(allowBFrames === undefined ? {} : { allowBFrames }),
				...(streamKey === undefined ? {} : { address: await underKey(c, destinationId, streamKey) }),
			};
			return c.json(destinationIn((await runCommand(c, command)).broadcast, destinationId), 200);
		},
	)
	.openapi(
		createRoute({
			method: "post",
			path: "/{id}/destinations/{destinationId}/test",
			summary: "Test a destination",
			description:
				"Connects, publishes two seconds of black and silence, and says how far it came, within 15 s. 200 also when the destination failed: the test was made. Some services show what is sent there. Refused while the program goes there.",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: destinationParamsSchema },
			responses: answers(200, "How far it came", destinationTestSchema),
		}),
		async (c) => {
			const { destinationId } = c.req.valid("param");
			const { config, warnings } = valueFrom(await broadcastOf(c).testedDestination(destinationId));
			const egress = c.env.EGRESS.getByName(`${config.broadcastId}/test-${destinationId}`);
			const report = await egress.testDestination(config);
			c.header("Cache-Control", "no-store");
			return c.json({ ...report, warnings }, 200);
		},
	)
	.openapi(
		createRoute({
			method: "delete",
			path: "/{id}/destinations/{destinationId}",
			summary: "Take a destination off, live or not",
			security: SECURED,
			middleware: [allow("operate")] as const,
			request: { params: destinationParamsSchema, ...mayMatch },
			responses: { 204: { description: "Taken off" }, default: PROBLEM_ANSWER },
		}),
		async (c) => {
			await runCommand(c, { type: "remove-destination", destinationId: c.req.valid("param").destinationId });
			return c.body(null, 204);
		},
	);

async function underKey(c: Context<ApiEnv>, destinationId: string, streamKey: string): Promise<SealedAddress> {
	const { sealedAddress, broadcastId } = valueFrom(await broadcastOf(c).destinationConfig(destinationId));
	return addressUnderKey(sealedAddress, streamKey, broadcastId, c.env);
}

function destinationIn(broadcast: BroadcastView, destinationId: string): DestinationView {
	const found = broadcast.destinations.find(({ id }) => id === destinationId);
	if (found === undefined) {
		throw new ApiProblem("not-found", "destination: expected one of this broadcast's, got an id that is none of them");
	}
	return found;
}
