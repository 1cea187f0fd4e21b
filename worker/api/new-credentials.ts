import type { Context } from "hono";
import { MS_PER_SECOND } from "../../media/units.ts";
import { personClaims, personTokenExpiryS } from "../auth/person-token.ts";
import { signRoleToken } from "../auth/role-token.ts";
import { signingKeyOf } from "../auth/signing-key.ts";
import type { Env } from "../env.ts";
import type { CommandResult } from "../protocol/broadcast-commands.ts";
import type { PersonId } from "../protocol/roles.ts";
import type { ApiEnv } from "./api-app.ts";
import { ApiProblem } from "./api-problem.ts";

/** @throws {ApiProblem} where the deployment has no key to sign tokens with */
export function requiredSigningKey(env: Pick<Env, "SIGNING_KEY">): string {
	const signingKey = signingKeyOf(env);
	if (signingKey === undefined) {
		throw new ApiProblem(
			"not-configured",
			"auth: expected the secret SIGNING_KEY to be set, got none that is long enough",
		);
	}
	return signingKey;
}

/** A token for the credentials that a command made. Where these have been made worthless since, so is the token. */
export function newToken(
	{ broadcast, credentialsVersion }: CommandResult,
	person: PersonId | "viewer",
	env: Pick<Env, "SIGNING_KEY">,
	nowMs: number,
): Promise<string> {
	if (credentialsVersion === undefined) {
		throw new Error("credentials: expected a command that makes some, got one that does not");
	}
	const expiryS = personTokenExpiryS(nowMs / MS_PER_SECOND, broadcast.scheduledStartMs);
	return signRoleToken(personClaims(broadcast.id, person, credentialsVersion, expiryS), requiredSigningKey(env));
}

/** A link of this deployment's. What opens something goes into the fragment, since browsers do not send it and servers do not log it. */
export function linkTo(c: Context<ApiEnv>, page: "studio" | "join" | "watch", id: string, fragment: string): string {
	return `${new URL(c.req.url).origin}/${page}/${id}#${fragment}`;
}
