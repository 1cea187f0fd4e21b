import type { OpenAPIHono } from "@hono/zod-openapi";
import type { ApiEnv } from "./api-app.ts";

const IDEMPOTENCY_KEY = {
	in: "header" as const,
	name: "Idempotency-Key",
	description:
		"A name for this request, unique among yours. Sent again with the same body within 24 h, it gets the same answer, and nothing is done twice",
	schema: { type: "string" as const, minLength: 1, maxLength: 255 },
};
const IF_NONE_MATCH = {
	in: "header" as const,
	name: "If-None-Match",
	description: "The entity tags the client has; 304 where one is that of now",
	schema: { type: "string" as const },
};

/** Its clients know RFC 9725 and nothing of keys: a newer session takes over from the one before. */
const WHIP = "/api/whip";

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
	describeHeaders(document.paths ?? {});
	return { ...document, components: { ...document.components, securitySchemes: { bearer } } };
}

type Paths = NonNullable<ReturnType<OpenAPIHono<ApiEnv>["getOpenAPI31Document"]>["paths"]>;

/** Headers that are read before the routes' own schemas are looked at, and so stand in none of them. */
function describeHeaders(paths: Paths): void {
	for (const [path, item] of Object.entries(paths)) {
		const { get, post } = item;
		if (post?.security !== undefined && !path.startsWith(WHIP)) {
			post.parameters = [...(post.parameters ?? []), IDEMPOTENCY_KEY];
		}
		if (get?.responses?.["304"] !== undefined) {
			get.parameters = [...(get.parameters ?? []), IF_NONE_MATCH];
		}
	}
}
