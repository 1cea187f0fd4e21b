import { OpenAPIHono } from "@hono/zod-openapi";
import type { Principal } from "../auth/permissions.ts";
import type { Env } from "../env.ts";
import { ApiProblem } from "./api-problem.ts";
import type { RepeatableCreation } from "./repeatable-creation.ts";
import { faultsInWords, requestFaults } from "./request-faults.ts";
import { problemSchema } from "./schemas.ts";

export interface ApiEnv {
	Bindings: Env;
	Variables: {
		principal: Principal;
		requestId: string;
		/** Of a request that creates a broadcast and named itself. */
		creation?: RepeatableCreation;
	};
}

/** A Hono app for one area of the API: what its schemas refuse is thrown as a problem. */
export function newApiApp(): OpenAPIHono<ApiEnv> {
	return new OpenAPIHono<ApiEnv>({
		defaultHook: (result) => {
			if (!result.success) {
				const faults = requestFaults(result.error.issues);
				throw new ApiProblem("invalid-request", faultsInWords(faults), faults);
			}
		},
	});
}

/** The answer of a route, and the problem it may give instead. */
export function answers<S extends number, T>(status: S, description: string, schema: T) {
	return {
		...({ [status]: { description, content: { "application/json": { schema } } } } as Record<
			S,
			{ description: string; content: { "application/json": { schema: T } } }
		>),
		default: PROBLEM_ANSWER,
	};
}

export const PROBLEM_ANSWER = {
	description: "Refused; see the problems",
	content: { "application/problem+json": { schema: problemSchema } },
};

export function jsonBody<T>(schema: T) {
	return { required: true, content: { "application/json": { schema } } } as const;
}

/** Routes that need a token. */
export const SECURED = [{ bearer: [] }];
