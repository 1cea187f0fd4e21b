import type { z } from "@hono/zod-openapi";
import { checkDestination } from "../../egress/destination-policy.ts";
import { randomCode } from "../auth/random-id.ts";
import { sealingKeyOf } from "../auth/sealing.ts";
import { sealedAddress } from "../broadcast/sealed-destinations.ts";
import type { Env } from "../env.ts";
import type { NewDestination } from "../protocol/broadcast-commands.ts";
import { ApiProblem, valueFrom } from "./api-problem.ts";
import type { newDestinationSchema } from "./schemas.ts";

/** Unique within one broadcast, and not to be guessed from each other. */
const DESTINATION_ID_LENGTH = 12;

type DestinationEnv = Pick<Env, "ALLOW_PRIVATE_DESTINATIONS" | "ENCRYPTION_KEY" | "ENCRYPTION_KEY_PREVIOUS">;

/**
 * The destination a request asks for, its address sealed for that broadcast.
 * @throws {ApiProblem} when this deployment does not push to such an address, or has no key to seal it with
 */
export async function allowedDestination(
	{ name, service, via, url, streamKey, allowBFrames }: z.infer<typeof newDestinationSchema>,
	broadcastId: string,
	env: DestinationEnv,
): Promise<NewDestination> {
	const address = { url, ...(streamKey === undefined ? {} : { streamKey }) };
	valueFrom(checkDestination(address, { allowPrivate: env.ALLOW_PRIVATE_DESTINATIONS === "1" }));
	if (sealingKeyOf(env) === undefined) {
		throw new ApiProblem(
			"not-configured",
			"sealing: expected the secret ENCRYPTION_KEY to be 32 bytes in base64, got none or fewer",
		);
	}
	return {
		id: randomCode(DESTINATION_ID_LENGTH),
		...(name === undefined ? {} : { name }),
		service,
		via,
		...(await sealedAddress(address, broadcastId, env)),
		allowBFrames,
	};
}
