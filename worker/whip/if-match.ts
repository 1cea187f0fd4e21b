import { type Outcome, refused } from "../protocol/problem.ts";
import type { WhipMatch } from "../protocol/whip.ts";

/** `If-Match` (RFC 9110 §13.1.1). It compares strongly: weak tags never match. */
export function whipMatch(header: string | undefined): WhipMatch {
	if (header === undefined) {
		return undefined;
	}
	return header.trim() === "*" ? "any" : [...header.matchAll(/(?:^|,)\s*"([^"]*)"/g)].map(([, tag = ""]) => tag);
}

/** RFC 9725 §4.3.1: candidates belong to the ICE session that the tag names, a restart (`*`) to whichever there is. */
export function matchRefusal(match: WhipMatch, etag: string): Outcome<never> | undefined {
	if (match === undefined) {
		const detail = 'whip: expected If-Match with the session\'s entity tag, or "*" to restart ICE, got none';
		return refused("precondition-required", detail);
	}
	return match === "any" || match.includes(etag)
		? undefined
		: refused("precondition-failed", "whip: expected the entity tag of the session's ICE credentials, got another");
}
