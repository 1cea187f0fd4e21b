import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { BROADCAST_ID_PATTERN, randomCode } from "../auth/random-id.ts";
import { createLog } from "../log.ts";
import type { ApiEnv } from "./api-app.ts";

/** What may stand for a request in a log: nothing that could be taken for another field, and no room for a secret of much length. */
const REQUEST_ID_PATTERN = /^[\w-]{1,64}$/;
const REQUEST_ID_LENGTH = 20;
const SWITCHING_PROTOCOLS = 101;
const FIRST_SERVER_ERROR = 500;

/** Asked every few seconds by whoever looks whether the Worker lives. */
const PROBED_ROUTE = "/api/health";

const log = createLog("api");

/** The id the client gave its request, else that of Cloudflare's edge, else a new one. */
export function requestIdOf(headers: Headers): string {
	const given = [headers.get("X-Request-Id"), headers.get("cf-ray")];
	return given.find((id) => id !== null && REQUEST_ID_PATTERN.test(id)) ?? randomCode(REQUEST_ID_LENGTH);
}

/** Gives each request an id, told in `X-Request-Id`, and writes a line about it. Neither query nor path is written, which may hold secrets. */
export function logRequests(): MiddlewareHandler<ApiEnv> {
	return async (c, next) => {
		const startedMs = Date.now();
		const requestId = requestIdOf(c.req.raw.headers);
		c.set("requestId", requestId);
		await next();
		const { status } = c.res;
		const route = routePath(c, -1);
		const named = c.req.param("id") ?? "";
		if (status !== SWITCHING_PROTOCOLS) {
			c.header("X-Request-Id", requestId);
		}
		if (route === PROBED_ROUTE && status < FIRST_SERVER_ERROR) {
			return;
		}
		log[status >= FIRST_SERVER_ERROR ? "warn" : "info"]("request", {
			requestId,
			broadcastId: BROADCAST_ID_PATTERN.test(named) ? named : undefined,
			method: c.req.method,
			route,
			status,
			ms: Date.now() - startedMs,
			// Set once whoever asks is known.
			role: (c.var as Partial<ApiEnv["Variables"]>).principal?.role,
		});
	};
}
