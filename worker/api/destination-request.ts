import type { z } from "@hono/zod-openapi";
import { withStreamKey } from "../../egress/destination-identity.ts";
import { checkDestination, type DestinationAddress } from "../../egress/destination-policy.ts";
import { randomCode } from "../auth/random-id.ts";
import { SealingError, sealingKeyOf, unseal } from "../auth/sealing.ts";
import { addressUse, sealedAddress } from "../broadcast/sealed-destinations.ts";
import { placement } from "../destinations/placement.ts";
import type { Env } from "../env.ts";
import type { NewDestination, SealedAddress } from "../protocol/broadcast-commands.ts";
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
	{ name, allowBFrames, ...asked }: z.infer<typeof newDestinationSchema>,
	broadcastId: string,
	env: DestinationEnv,
): Promise<NewDestination> {
	const { address, via } = valueFrom(placement(asked));
	return {
		id: randomCode(DESTINATION_ID_LENGTH),
		...(name === undefined ? {} : { name }),
		service: asked.service,
		via,
		...(await allowedAddress(address, broadcastId, env)),
		allowBFrames,
	};
}

/**
 * The same place under another key.
 * @throws {ApiProblem} as {@link allowedDestination}, and when the stored address cannot be opened any more
 */
export async function addressUnderKey(
	sealed: string,
	streamKey: string,
	broadcastId: string,
	env: DestinationEnv,
): Promise<SealedAddress> {
	return allowedAddress(withStreamKey(await openedAddress(sealed, broadcastId, env), streamKey), broadcastId, env);
}

async function allowedAddress(
	address: DestinationAddress,
	broadcastId: string,
	env: DestinationEnv,
): Promise<SealedAddress> {
	valueFrom(checkDestination(address, { allowPrivate: env.ALLOW_PRIVATE_DESTINATIONS === "1" }));
	if (sealingKeyOf(env) === undefined) {
		throw new ApiProblem(
			"not-configured",
			"sealing: expected the secret ENCRYPTION_KEY to be 32 bytes in base64, got none or fewer",
		);
	}
	return sealedAddress(address, broadcastId, env);
}

async function openedAddress(sealed: string, broadcastId: string, env: DestinationEnv): Promise<DestinationAddress> {
	try {
		return JSON.parse(await unseal(sealed, env, addressUse(broadcastId)));
	} catch (error) {
		if (error instanceof SealingError) {
			throw new ApiProblem("not-configured", error.message);
		}
		throw error;
	}
}
