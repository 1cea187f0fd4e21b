import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ApiEnv } from "./api-app.ts";

/** The OpenAPI 3.1 document, made from the schemas the routes are checked with. */
export function openApiDocument(app: OpenAPIHono<ApiEnv>) {
	const document = app.getOpenAPI31Document({
		openapi: "3.1.0",
		info: {
			title: "Tandem",
			version: "0.1.0",
			description: "Bring a second person on air: two live feeds in, one composited stream out.",
			license: { name: "MIT", url: "https://opensource.org/license/mit" },
		},
		servers: [{ url: "/" }],
	});
	const bearer = {
		type: "http" as const,
		scheme: "bearer",
		description: "The admin token, or a broadcast's role token or stream key",
	};
	return { ...document, components: { ...document.components, securitySchemes: { bearer } } };
}
