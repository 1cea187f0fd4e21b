import type { Env } from "../env.ts";
import { done, type Outcome, refused } from "../protocol/problem.ts";
import { roleOf } from "../protocol/roles.ts";
import type { Principal } from "./permissions.ts";
import { RoleTokenError, verifyRoleToken } from "./role-token.ts";
import { isHashOneOf, isOneOf, readHashes, sha256Hex } from "./secret.ts";
import { verifyingKeysOf } from "./signing-key.ts";
import { hashStreamKey, parseStreamKey } from "./stream-key.ts";

type AuthEnv = Pick<Env, "ADMIN_TOKEN" | "ADMIN_TOKEN_SHA256" | "SIGNING_KEY" | "SIGNING_KEY_PREVIOUS" | "BROADCAST">;

/** Of tokens made before they said so. */
const FIRST_CREDENTIALS = 1;

/**
 * Who holds the token: an admin token, a stream key (its broadcast is asked), or a role token. Nobody is let in while a secret the decision
 * needs is not set. `nowS` is in seconds since the epoch.
 */
export async function authenticate(token: string | undefined, env: AuthEnv, nowS: number): Promise<Outcome<Principal>> {
	const adminHashes = await adminHashesOf(env);
	const signingKeys = verifyingKeysOf(env);
	if (!adminHashes.ok) {
		return adminHashes;
	}
	if (signingKeys.length === 0) {
		return refused(
			"not-configured",
			"auth: expected the secret SIGNING_KEY to be set to at least 32 bytes, got none or fewer",
		);
	}
	if (token === undefined) {
		return refused("unauthorized", "auth: expected a bearer token, got none");
	}
	if (isHashOneOf(await sha256Hex(token), adminHashes.value)) {
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
	return authenticateRoleToken(token, signingKeys, env, nowS);
}

async function authenticateRoleToken(
	token: string,
	signingKeys: readonly string[],
	env: Pick<Env, "BROADCAST">,
	nowS: number,
): Promise<Outcome<Principal>> {
	try {
		const { bid, role, pid, ver = FIRST_CREDENTIALS, fence } = await verifyRoleToken(token, signingKeys, nowS);
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

/**
 * SHA-256 of every token that is the admin's: those that ADMIN_TOKEN_SHA256 lists, and that of ADMIN_TOKEN. Refused while there is none, and
 * while the list cannot be read: one that is half right might lack the very token that was to be let in, or hold one in the clear.
 */
export async function adminHashesOf(
	env: Pick<Env, "ADMIN_TOKEN" | "ADMIN_TOKEN_SHA256">,
): Promise<Outcome<readonly string[]>> {
	const listed = env.ADMIN_TOKEN_SHA256 ? readHashes(env.ADMIN_TOKEN_SHA256) : [];
	if (listed === undefined) {
		return refused(
			"not-configured",
			"auth: expected ADMIN_TOKEN_SHA256 to be SHA-256 hashes in lower-case hexadecimal, separated by commas, got something else",
		);
	}
	const hashes = [...listed, ...(env.ADMIN_TOKEN ? [await sha256Hex(env.ADMIN_TOKEN)] : [])];
	return hashes.length === 0
		? refused("not-configured", "auth: expected the secret ADMIN_TOKEN_SHA256 or ADMIN_TOKEN to be set, got neither")
		: done(hashes);
}

/** Whether the token is the runners' secret, or the one before it while runners are given the new one. */
export async function authenticateRunner(
	token: string | undefined,
	env: Pick<Env, "RUNNER_TOKEN" | "RUNNER_TOKEN_PREVIOUS">,
): Promise<Outcome<null>> {
	if (!env.RUNNER_TOKEN) {
		return refused("not-configured", "auth: expected the secret RUNNER_TOKEN to be set, got none");
	}
	const tokens = [env.RUNNER_TOKEN, ...(env.RUNNER_TOKEN_PREVIOUS ? [env.RUNNER_TOKEN_PREVIOUS] : [])];
	if (token === undefined || !(await isOneOf(token, tokens))) {
		return refused("unauthorized", "auth: expected the runners' token, got another or none");
	}
	return done(null);
}
