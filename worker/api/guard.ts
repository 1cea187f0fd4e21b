import type { Context, MiddlewareHandler } from "hono";
import { authenticate } from "../auth/authenticate.ts";
import { credentialOf } from "../auth/credential.ts";
import { type Action, type ApiRole, type Principal, rolesAllowedTo } from "../auth/permissions.ts";
import type { ApiEnv } from "./api-app.ts";
import { ApiProblem } from "./api-problem.ts";
import { idempotently } from "./idempotent.ts";
import { limitToken, recognised } from "./rate-limit.ts";

export { broadcastIdOf, broadcastOf } from "./named-broadcast.ts";

/**
 * Lets a request through when its token allows the action, on the broadcast in its path if there is one, and a POST that names itself once.
 * Runs before anything is parsed.
 */
export function allow(action: Action): MiddlewareHandler<ApiEnv> {
	return async (c, next) => {
		const principal = await principalFor(c, rolesAllowedTo(action), { query: false });
		c.set("principal", principal);
		// A compositor cannot wait: the program hangs on it.
		if (principal.role !== "compositor") {
			await limitToken(c, credentialOf(c.req.raw, { query: false }) ?? "", "RATE_API");
		}
		return idempotently(c, next);
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
	const token = credentialOf(c.req.raw, from);
	const principal = await recognised(c, token, await authenticate(token, c.env, nowS));
	const broadcastId = c.req.param("id");
	if (principal.role !== "admin" && broadcastId !== undefined && principal.broadcastId !== broadcastId) {
		throw new ApiProblem("forbidden", "auth: expected a token for this broadcast, got one for another");
	}
	if (!roles.includes(principal.role)) {
		throw new ApiProblem("forbidden", `auth: expected ${roles.join(" or ")}, got ${principal.role}`);
	}
	return principal;
}
