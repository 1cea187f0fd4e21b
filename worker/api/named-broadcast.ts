import type { Context } from "hono";
import { BROADCAST_ID_PATTERN } from "../auth/random-id.ts";
import type { ApiEnv } from "./api-app.ts";
import { ApiProblem } from "./api-problem.ts";

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
