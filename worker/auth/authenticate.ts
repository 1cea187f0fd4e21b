import type { Env } from "../env.ts";
import { done, type Outcome, refused } from "../protocol/problem.ts";
import { roleOf } from "../protocol/roles.ts";
import type { Principal } from "./permissions.ts";
import { RoleTokenError, verifyRoleToken } from "./role-token.ts";
import { secretsMatch } from "./secret.ts";
import { signingKeyOf } from "./signing-key.ts";
import { hashStreamKey, parseStreamKey } from "./stream-key.ts";

type AuthEnv = Pick<Env, "ADMIN_TOKEN" | "SIGNING_KEY" | "BROADCAST">;

/** Of tokens made before they said so. */
const FIRST_CREDENTIALS = 1;

/**
 * Who holds the token: the admin token, a stream key (its broadcast is asked), or a role token. Nobody is let in while a secret the decision
 * needs is not set. `nowS` is in seconds since the epoch.
 */
export async function authenticate(token: string | undefined, env: AuthEnv, nowS: number): Promise<Outcome<Principal>> {
	const signingKey = signingKeyOf(env);
	if (!env.ADMIN_TOKEN) {
		return refused("not-configured", "auth: expected the secret ADMIN_TOKEN to be set, got none");
	}
	if (signingKey === undefined) {
		return refused(
			"not-configured",
			"auth: expected the secret SIGNING_KEY to be set to at least 32 bytes, got none or fewer",
		);
	}
	if (token === undefined) {
		return refused("unauthorized", "auth: expected a bearer token, got none");
	}
	if (await secretsMatch(token, env.ADMIN_TOKEN)) {
		return done({ role: "admin" });
	}
	const named = parseStreamKey(token);
	if (named !== undefined) {
		const checked = await env.BROADCAST.getByName(named.broadcastId).checkStreamKey(
			named.person,
			await hashStreamKey(token),
		);
		return checked.ok ? done({ ...named, role: roleOf(named.person), credentialsVersion: checked.value }) : checked;
	}
	return authenticateRoleToken(token, signingKey, env, nowS);
}

async function authenticateRoleToken(
	token: string,
	signingKey: string,
	env: Pick<Env, "BROADCAST">,
	nowS: number,
): Promise<Outcome<Principal>> {
	try {
		const { bid, role, pid, ver = FIRST_CREDENTIALS, fence } = await verifyRoleToken(token, signingKey, nowS);
		// A lease, and a runner's leave to take the program to a destination, end with their fence or soon, not with people's credentials.
		if (role === "compositor" || (role === "viewer" && fence !== undefined)) {
			return done({ role, broadcastId: bid, ...(fence === undefined ? {} : { fence }) });
		}
		const person = role === "viewer" ? role : (pid ?? role);
		// The signature says that it was given out, and only the broadcast knows whether it was taken back.
		const checked = await env.BROADCAST.getByName(bid).checkToken({ person, credentialsVersion: ver });
		if (!checked.ok) {
			return checked;
		}
		return done({ role, broadcastId: bid, credentialsVersion: ver, ...(person === "viewer" ? {} : { person }) });
	} catch (error) {
		if (error instanceof RoleTokenError) {
			return refused("unauthorized", error.message);
		}
		throw error;
	}
}

/** Whether the token is the runners' secret. */
export async function authenticateRunner(
	token: string | undefined,
	env: Pick<Env, "RUNNER_TOKEN">,
): Promise<Outcome<null>> {
	if (!env.RUNNER_TOKEN) {
		return refused("not-configured", "auth: expected the secret RUNNER_TOKEN to be set, got none");
	}
	if (token === undefined || !(await secretsMatch(token, env.RUNNER_TOKEN))) {
		return refused("unauthorized", "auth: expected the runners' token, got another or none");
	}
	return done(null);
}
