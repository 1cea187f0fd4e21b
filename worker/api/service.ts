import { createRoute } from "@hono/zod-openapi";
import { adminHashesOf } from "../auth/authenticate.ts";
import { signingKeyOf } from "../auth/signing-key.ts";
import { DEFAULT_POOL_NAME } from "../protocol/object-rpc.ts";
import { answers, newApiApp } from "./api-app.ts";
import { healthSchema } from "./schemas.ts";

/** About the deployment itself. */
export const service = newApiApp().openapi(
	createRoute({
		method: "get",
		path: "/health",
		summary: "Whether a broadcast could go live now",
		responses: answers(200, "The Worker answers", healthSchema),
	}),
	async (c) => {
		const { runners, freePlaces } = await c.env.COMPOSITOR_POOL.getByName(DEFAULT_POOL_NAME).stats();
		const configured =
			(await adminHashesOf(c.env)).ok && Boolean(c.env.RUNNER_TOKEN) && signingKeyOf(c.env) !== undefined;
		c.header("Cache-Control", "no-store");
		return c.json({ status: "ok" as const, ready: configured && freePlaces > 0, runners, freePlaces }, 200);
	},
);
