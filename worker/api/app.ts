import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { newApiApp } from "./api-app.ts";
import { ApiProblem, problemResponse } from "./api-problem.ts";
import { broadcasts } from "./broadcasts.ts";
import { destinations } from "./destinations.ts";
import { docsPage } from "./docs-page.ts";
import { openApiDocument } from "./openapi-document.ts";
import { service } from "./service.ts";
import { broadcastSockets, runnerSockets } from "./sockets.ts";

/** Many times the largest body the API takes: eight destinations with the longest addresses and keys. */
const MAX_BODY_BYTES = 64 * 1024;

/** The HTTP surface, all of it under `/api`. */
export function createApp() {
	const app = newApiApp();
	app.use(
		bodyLimit({
			maxSize: MAX_BODY_BYTES,
			onError: () => {
				throw new ApiProblem("too-large", `body: expected at most ${MAX_BODY_BYTES} bytes, got more`);
			},
		}),
	);
	app.route("/api/broadcasts", broadcasts);
	app.route("/api/broadcasts", destinations);
	app.route("/api/broadcasts", broadcastSockets);
	app.route("/api/runners", runnerSockets);
	app.route("/api", service);
	app.get("/api/openapi.json", (c) => c.json(openApiDocument(app)));
	app.get("/api/docs", (c) => docsPage(c, openApiDocument(app)));
	app.notFound(() =>
		problemResponse(new ApiProblem("not-found", "api: expected a route of /api/openapi.json, got another")),
	);
	app.onError((error) => problemResponse(asProblem(error)));
	return app;
}

function asProblem(error: Error): ApiProblem {
	if (error instanceof ApiProblem) {
		return error;
	}
	if (error instanceof HTTPException && error.status === 415) {
		return new ApiProblem("unsupported-media-type", "body: expected Content-Type application/json, got another");
	}
	if (error instanceof HTTPException && error.status === 400) {
		return new ApiProblem("invalid-request", "body: expected JSON, got something else");
	}
	console.error("api: a route failed", error);
	return new ApiProblem(
		"internal-error",
		"api: expected the route to succeed, got an unforeseen error, which is in the log",
	);
}
