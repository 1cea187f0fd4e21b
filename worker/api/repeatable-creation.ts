import { broadcastIdFrom } from "../auth/random-id.ts";
import { hmacSha256 } from "../auth/secret.ts";
import { streamKeyFrom } from "../auth/stream-key.ts";
import type { PersonId } from "../protocol/roles.ts";

/** What a request makes that creates a broadcast and named itself: the same again when it is made again. */
export interface RepeatableCreation {
	readonly broadcastId: string;
	streamKey(person: PersonId): Promise<string>;
}

/**
 * The `nth` broadcast that a request creates in the course of time: its key may be used for another after a day. Whoever does not have the
 * signing key can foretell none of it.
 */
export async function repeatableCreation(
	requestKey: string,
	nth: number,
	signingKey: string,
): Promise<RepeatableCreation> {
	const derived = (what: string) => hmacSha256(`tandem/creation/${what}/${nth}/${requestKey}`, signingKey);
	const broadcastId = broadcastIdFrom(await derived("broadcast"));
	return {
		broadcastId,
		streamKey: async (person) => streamKeyFrom(broadcastId, person, await derived(`stream-key/${person}`)),
	};
}
