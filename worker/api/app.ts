import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { limitsOf } from "../limits.ts";
import { createLog } from "../log.ts";
import { type ApiEnv, newApiApp } from "./api-app.ts";
import { ApiProblem, problemResponse } from "./api-problem.ts";
import { broadcasts } from "./broadcasts.ts";
import { destinations } from "./destinations.ts";
import { docsPage } from "./docs-page.ts";
import { events } from "./events.ts";
import { invites } from "./invites.ts";
import { listing } from "./listing.ts";
import { broadcastMetricsRoute, metrics } from "./metrics.ts";
import { openApiDocument } from "./openapi-document.ts";
import { PEOPLES_PAGES, servePage } from "./pages.ts";
import { people } from "./people.ts";
import { publicPages } from "./public.ts";
import { limitAddress } from "./rate-limit.ts";
import { logRequests } from "./request-log.ts";
import { scene } from "./scene.ts";
import { service } from "./service.ts";
import { services } from "./services.ts";
import { broadcastSockets, runnerSockets } from "./sockets.ts";
import { webhooks } from "./webhooks.ts";
import { sayWhatWhipTakes, whip } from "./whip.ts";

/** What needs no token, or lets people in by another thing than one. */
const PUBLIC_PATHS = [
	"/api/health",
	"/api/services",
	"/api/openapi.json",
	"/api/docs",
	"/api/broadcasts/:id/public.ics",
	// Also what it begins with: `…/public` itself.
	"/api/broadcasts/:id/public/*",
	"/api/broadcasts/:id/audience",
	"/api/broadcasts/:id/join",
	// Its address is what lets one in.
	"/api/whip/sessions/*",
	"/api/whip/:streamKey",
];

/** As long as browsers keep it at most. */
const PREFLIGHT_KEPT_S = 7_200;

const log = createLog("api");

/** The HTTP surface, all of it under `/api`. */
export function createApp() {
	const app = newApiApp();
	app.use(logRequests());
	// Ahead of what answers a preflight.
	app.use("/api/whip/*", sayWhatWhipTakes());
	app.use("/api/*", letPagesAsk());
	app.use(limitBody());
	for (const page of PEOPLES_PAGES) {
		app.use(`/${page}/*`, servePage(page));
	}
	for (const path of PUBLIC_PATHS) {
		app.use(path, limitAddress());
	}
	// One chain, so that its type knows every route: the typed client is made of it.
	const routes = app
		.route("/api/broadcasts", listing)
		.route("/api/broadcasts", broadcasts)
		.route("/api/broadcasts", destinations)
		.route("/api/broadcasts", people)
		.route("/api/broadcasts", invites)
		.route("/api/broadcasts", scene)
		.route("/api/broadcasts", events)
		.route("/api/broadcasts", webhooks)
		.route("/api/broadcasts", broadcastMetricsRoute)
		.route("/", metrics)
		.route("/api/broadcasts", broadcastSockets)
		.route("/api/broadcasts", publicPages)
		.route("/api/runners", runnerSockets)
		.route("/api/whip", whip)
		.route("/api", service)
		.route("/api", services);
	app.get("/api/openapi.json", (c) => c.json(openApiDocument(app)));
	app.get("/api/docs", (c) => docsPage(c, openApiDocument(app)));
	app.notFound((c) =>
		problemResponse(
			new ApiProblem("not-found", "api: expected a route of /api/openapi.json, got another"),
			c.var.requestId,
		),
	);
	app.onError((error, c) => problemResponse(asProblem(error, c.var.requestId), c.var.requestId));
	return routes;
}

/** Pages of any origin may ask: what lets a request in is the token that it carries, and no browser adds that by itself. */
function letPagesAsk(): MiddlewareHandler<ApiEnv> {
	const answer = cors({
		origin: "*",
		allowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
		allowHeaders: ["Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "X-Request-Id"],
		exposeHeaders: ["ETag", "Location", "Link", "Accept-Patch", "Retry-After", "X-Request-Id"],
		maxAge: PREFLIGHT_KEPT_S,
	});
	return (c, next) => (c.req.header("Upgrade") === undefined ? answer(c, next) : next());
}

function limitBody(): MiddlewareHandler<ApiEnv> {
	return (c, next) => {
		const { maxBodyBytes } = limitsOf(c.env);
		const onError = () => {
			throw new ApiProblem("too-large", `body: expected at most ${maxBodyBytes} bytes, got more`);
		};
		return bodyLimit({ maxSize: maxBodyBytes, onError })(c, next);
	};
}

/** Every route with what it takes and answers: what the typed client is made of. */
export type Api = ReturnType<typeof createApp>;

function asProblem(error: Error, requestId: string): ApiProblem {
	if (error instanceof ApiProblem) {
		return error;
	}
	if (error instanceof HTTPException && error.status === 415) {
		return new ApiProblem("unsupported-media-type", "body: expected Content-Type application/json, got another");
	}
	if (error instanceof HTTPException && error.status === 400) {
		return new ApiProblem("invalid-request", "body: expected JSON, got something else");
	}
	log.error("a route failed", { requestId, error });
	return new ApiProblem(
		"internal-error",
		"api: expected the route to succeed, got an unforeseen error, which is in the log",
	);
}
