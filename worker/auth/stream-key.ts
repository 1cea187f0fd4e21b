import { type PersonId, personIdSchema } from "../protocol/roles.ts";
import { codeOf, randomCode } from "./random-id.ts";
import { sha256Hex } from "./secret.ts";

/** 120 bits, out of reach of guessing even without a limit on attempts. */
const SECRET_LENGTH = 24;
const STREAM_KEY_PATTERN = /^([0-9a-hjkmnp-tv-z]{16})-(host|guest(?:-[234])?)-([0-9a-hjkmnp-tv-z]{24})$/;

/**
 * A short key for people to paste into OBS or a hardware encoder: `<broadcastId>-<person>-<random>`. Whoever holds it may publish as that
 * person. Only its hash is kept.
 */
export function newStreamKey(broadcastId: string, person: PersonId): string {
	return streamKeyOf(broadcastId, person, randomCode(SECRET_LENGTH));
}

/** The same key for the same bytes. @param bytes at least 24, which nobody can foretell */
export function streamKeyFrom(broadcastId: string, person: PersonId, bytes: Uint8Array): string {
	return streamKeyOf(broadcastId, person, codeOf(bytes.subarray(0, SECRET_LENGTH)));
}

function streamKeyOf(broadcastId: string, person: PersonId, secret: string): string {
	return `${broadcastId}-${person}-${secret}`;
}

/** Which broadcast and person a stream key names, unverified; `undefined` when the text is not a stream key. */
export function parseStreamKey(text: string): { readonly broadcastId: string; readonly person: PersonId } | undefined {
	const [, broadcastId, person] = STREAM_KEY_PATTERN.exec(text) ?? [];
	const known = personIdSchema.safeParse(person);
	return broadcastId === undefined || !known.success ? undefined : { broadcastId, person: known.data };
}

/** What is stored of a stream key. Unsalted, since the key itself has 120 random bits. */
export function hashStreamKey(streamKey: string): Promise<string> {
	return sha256Hex(streamKey);
}

/** A key for each of these people, and what is kept of it. @param keyOf makes them; random ones by default */
export async function newStreamKeys<P extends PersonId>(
	broadcastId: string,
	people: readonly P[],
	keyOf: (person: P) => string | Promise<string> = (person) => newStreamKey(broadcastId, person),
): Promise<{ readonly keys: Readonly<Record<P, string>>; readonly hashes: Readonly<Record<P, string>> }> {
	const made = await Promise.all(
		people.map(async (person) => {
			const key = await keyOf(person);
			return { person, key, hash: await hashStreamKey(key) };
		}),
	);
	return {
		keys: Object.fromEntries(made.map(({ person, key }) => [person, key])) as Record<P, string>,
		hashes: Object.fromEntries(made.map(({ person, hash }) => [person, hash])) as Record<P, string>,
	};
}
