import type { Context, MiddlewareHandler } from "hono";
import { authenticate } from "../auth/authenticate.ts";
import { credentialOf } from "../auth/credential.ts";
import { type Action, type ApiRole, type Principal, rolesAllowedTo } from "../auth/permissions.ts";
import { BROADCAST_ID_PATTERN } from "../auth/random-id.ts";
import type { ApiEnv } from "./api-app.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";

/** Lets a request through when its token allows the action, on the broadcast in its path if there is one. Runs before anything is parsed. */
export function allow(action: Action): MiddlewareHandler<ApiEnv> {
	return async (c, next) => {
		c.set("principal", await principalFor(c, rolesAllowedTo(action), { query: false }));
		await next();
	};
}

/**
 * Who asks, when one of `roles` is what they are in the broadcast that the path names.
 * @throws {ApiProblem} when they are not
 */
export async function principalFor(
	c: Context<ApiEnv>,
	roles: readonly ApiRole[],
	from: { readonly query: boolean },
): Promise<Principal> {
	const nowS = Date.now() / 1_000;
	const principal = valueFrom(await authenticate(credentialOf(c.req.raw, from), c.env, nowS));
	const broadcastId = c.req.param("id");
	if (principal.role !== "admin" && broadcastId !== undefined && principal.broadcastId !== broadcastId) {
		throw new ApiProblem("forbidden", "auth: expected a token for this broadcast, got one for another");
	}
	if (!roles.includes(principal.role)) {
		throw new ApiProblem("forbidden", `auth: expected ${roles.join(" or ")}, got ${principal.role}`);
	}
	return principal;
}

/** The Broadcast object the path names. @throws {ApiProblem} when the path cannot name one. */
export function broadcastOf(c: Context<ApiEnv>) {
	return c.env.BROADCAST.getByName(broadcastIdOf(c));
}

export function broadcastIdOf(c: Context<ApiEnv>): string {
	const id = c.req.param("id") ?? "";
	if (!BROADCAST_ID_PATTERN.test(id)) {
		throw new ApiProblem("not-found", "broadcast: expected one that exists, got an id that names none");
	}
	return id;
}
