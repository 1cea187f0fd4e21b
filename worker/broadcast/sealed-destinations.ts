import { destinationIdentity } from "../../egress/destination-identity.ts";
import { type DestinationAddress, redactDestinationUrl } from "../../egress/destination-policy.ts";
import { fingerprint, type SealingEnv, seal, sealingKeyOf } from "../auth/sealing.ts";
import type { SealedAddress } from "../protocol/broadcast-commands.ts";
import type { BroadcastRecord, DestinationRecord } from "./broadcast-record.ts";

/** What a sealed address is for, so that it opens in its own broadcast only. */
export function addressUse(broadcastId: string): string {
	return `destination:${broadcastId}`;
}

/** What is kept of a destination's address. @throws {SealingError} when no key is set */
export async function sealedAddress(
	address: DestinationAddress,
	broadcastId: string,
	env: SealingEnv,
): Promise<SealedAddress> {
	const { url, streamKey } = address;
	return {
		shownUrl: redactDestinationUrl(url),
		hasStreamKey: streamKey !== undefined && streamKey !== "",
		sealedAddress: await seal(JSON.stringify(address), env, addressUse(broadcastId)),
		fingerprint: await fingerprint(destinationIdentity(address), env),
	};
}

/** A record as an older version stored it, its destinations' addresses open, with those sealed. */
export async function withSealedDestinations(stored: BroadcastRecord, env: SealingEnv): Promise<BroadcastRecord> {
	const isOpen = (destination: object): destination is DestinationAddress => "url" in destination;
	if (!stored.destinations.some(isOpen) || sealingKeyOf(env) === undefined) {
		return stored;
	}
	const destinations = stored.destinations.map(async (destination: DestinationRecord & Partial<DestinationAddress>) => {
		const { url, streamKey, ...rest } = destination;
		if (url === undefined) {
			return destination;
		}
		const address = { url, ...(streamKey === undefined ? {} : { streamKey }) };
		return { ...rest, ...(await sealedAddress(address, stored.id, env)) };
	});
	return { ...stored, destinations: await Promise.all(destinations) };
}
