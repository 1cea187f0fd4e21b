import type { PersonId } from "../protocol/roles.ts";
import { roleOf } from "../protocol/roles.ts";
import type { RoleClaims } from "./role-token.ts";
import { PERSON_TOKEN_LIFETIME_S } from "./token-lifetime.ts";

/** What the token of a person, or of every viewer, says. `exp` in seconds since the epoch. */
export function personClaims(
	broadcastId: string,
	person: PersonId | "viewer",
	credentialsVersion: number,
	exp: number,
): RoleClaims {
	const common = { bid: broadcastId, exp, ver: credentialsVersion };
	return person === "viewer" ? { ...common, role: "viewer" } : { ...common, role: roleOf(person), pid: person };
}

/** Links that go out today hold until some days after the event, however far ahead that is. Seconds since the epoch. */
export function personTokenExpiryS(nowS: number, scheduledStartMs: number | undefined): number {
	return Math.floor(Math.max(nowS, (scheduledStartMs ?? 0) / 1_000)) + PERSON_TOKEN_LIFETIME_S;
}
