import type { PersonId } from "../protocol/roles.ts";
import { randomCode } from "./random-id.ts";
import { sha256Hex } from "./secret.ts";

/** 120 bits, out of reach of guessing even without a limit on attempts. */
const SECRET_LENGTH = 24;
const STREAM_KEY_PATTERN = /^([0-9a-hjkmnp-tv-z]{16})-(host|guest)-([0-9a-hjkmnp-tv-z]{24})$/;

/**
 * A short key for people to paste into OBS or a hardware encoder: `<broadcastId>-<role>-<random>`. Whoever holds it may publish as that
 * person. Only its hash is kept.
 */
export function newStreamKey(broadcastId: string, role: PersonId): string {
	return `${broadcastId}-${role}-${randomCode(SECRET_LENGTH)}`;
}

/** Which broadcast and person a stream key names, unverified; `undefined` when the text is not a stream key. */
export function parseStreamKey(text: string): { readonly broadcastId: string; readonly role: PersonId } | undefined {
	const [, broadcastId, role] = STREAM_KEY_PATTERN.exec(text) ?? [];
	if (broadcastId === undefined || (role !== "host" && role !== "guest")) {
		return undefined;
	}
	return { broadcastId, role };
}

/** What is stored of a stream key. Unsalted, since the key itself has 120 random bits. */
export function hashStreamKey(streamKey: string): Promise<string> {
	return sha256Hex(streamKey);
}
