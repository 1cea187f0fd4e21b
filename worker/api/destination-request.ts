import type { z } from "@hono/zod-openapi";
import { checkDestination } from "../broadcast/destination-policy.ts";
import type { Env } from "../env.ts";
import type { NewDestination } from "../protocol/broadcast-commands.ts";
import { valueFrom } from "./api-problem.ts";
import type { newDestinationSchema } from "./schemas.ts";

/** The destination a request asks for. @throws {ApiProblem} when this deployment does not push to such an address */
export function allowedDestination(
	{ name, url, streamKey, allowBFrames }: z.infer<typeof newDestinationSchema>,
	env: Pick<Env, "ALLOW_PRIVATE_DESTINATIONS">,
): NewDestination {
	const destination = {
		url,
		allowBFrames,
		...(name === undefined ? {} : { name }),
		...(streamKey === undefined ? {} : { streamKey }),
	};
	valueFrom(checkDestination(destination, { allowPrivate: env.ALLOW_PRIVATE_DESTINATIONS === "1" }));
	return destination;
}
