import { createRoute } from "@hono/zod-openapi";
import { answers, jsonBody, newApiApp, SECURED } from "./api-app.ts";
import { broadcastAnswer } from "./broadcast-answers.ts";
import { idParamSchema, mayMatch } from "./broadcasts.ts";
import { allow } from "./guard.ts";
import { sceneChangesBodySchema } from "./people-schema.ts";
import { runCommand } from "./run-command.ts";
import { broadcastSchema } from "./schemas.ts";

export const scene = newApiApp().openapi(
	createRoute({
		method: "put",
		path: "/{id}/scene",
		summary: "Change layout, labels and order, live or before",
		security: SECURED,
		middleware: [allow("operate")] as const,
		request: { params: idParamSchema, ...mayMatch, body: jsonBody(sceneChangesBodySchema) },
		responses: answers(200, "The broadcast, with its new scene", broadcastSchema),
	}),
	async (c) => {
		const { layout, labels, order } = c.req.valid("json");
		const { broadcast } = await runCommand(c, {
			type: "set-scene",
			...(layout === undefined ? {} : { layout }),
			...(labels === undefined ? {} : { labels }),
			...(order === undefined ? {} : { order }),
		});
		return c.json(broadcastAnswer(broadcast), 200);
	},
);
