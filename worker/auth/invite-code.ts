import { randomCode } from "./random-id.ts";
import { sha256Hex } from "./secret.ts";

/** 120 bits, as a stream key. */
const SECRET_LENGTH = 24;
const INVITE_CODE_PATTERN = /^([0-9a-hjkmnp-tv-z]{16})-invite-([0-9a-hjkmnp-tv-z]{24})$/;

/** What an invite's link carries: `<broadcastId>-invite-<random>`. Whoever holds it may take a guest's place. Only its hash is kept. */
export function newInviteCode(broadcastId: string): string {
	return `${broadcastId}-invite-${randomCode(SECRET_LENGTH)}`;
}

/** The broadcast an invite code names, unverified; `undefined` when the text is no invite code. */
export function broadcastOfInvite(text: string): string | undefined {
	return INVITE_CODE_PATTERN.exec(text)?.[1];
}

/** What is stored of a code. Unsalted, since the code itself has 120 random bits. */
export function hashInviteCode(code: string): Promise<string> {
	return sha256Hex(code);
}
