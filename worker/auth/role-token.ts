import { sign, verify } from "hono/jwt";
import { z } from "zod";
import { BROADCAST_ROLES, personIdSchema } from "../protocol/roles.ts";

const ALGORITHM = "HS256";

/** A JWT of ours is under 300 characters; more is not worth hashing. */
const MAX_TOKEN_LENGTH = 2_048;

const roleClaimsSchema = z.object({
	/** The broadcast the token is for. */
	bid: z.string(),
	role: z.enum(BROADCAST_ROLES),
	/** Of host and guests: who, where the role alone does not say. */
	pid: personIdSchema.optional(),
	/** The version of their credentials it was made for. */
	ver: z.number().int().positive().optional(),
	/** Seconds since the epoch (RFC 7519 §4.1.4). */
	exp: z.number(),
	/** Of compositors: which lease. Of a runner that takes the program to a destination, as a viewer: which turn. */
	fence: z.number().int().positive().optional(),
});
export type RoleClaims = z.infer<typeof roleClaimsSchema>;

/** A token that is not to be trusted. The message never holds the token. */
export class RoleTokenError extends Error {
	override readonly name = "RoleTokenError";
}

/** A signed role token (JWT, RFC 7519, HS256). */
export function signRoleToken(claims: RoleClaims, signingKey: string): Promise<string> {
	return sign({ ...claims }, signingKey, ALGORITHM);
}

/**
 * The claims of a token that this deployment signed and that has not expired. `nowS` is in seconds since the epoch.
 * @throws {RoleTokenError} for everything else, the algorithm "none" included.
 */
export async function verifyRoleToken(token: string, signingKey: string, nowS: number): Promise<RoleClaims> {
	if (token.length > MAX_TOKEN_LENGTH) {
		throw new RoleTokenError(`auth: expected a token of at most ${MAX_TOKEN_LENGTH} characters, got ${token.length}`);
	}
	const claims = roleClaimsSchema.safeParse(await verifiedPayload(token, signingKey));
	if (!claims.success) {
		throw new RoleTokenError("auth: expected a token with broadcast, role and expiry, got other claims");
	}
	if (claims.data.exp <= nowS) {
		throw new RoleTokenError("auth: expected a token that is still valid, got one that has expired");
	}
	return claims.data;
}

async function verifiedPayload(token: string, signingKey: string): Promise<unknown> {
	try {
		// Expiry is checked by the caller, against the time it was given.
		return await verify(token, signingKey, { alg: ALGORITHM, exp: false, iat: false, nbf: false });
	} catch {
		// hono's errors quote the token, so nothing of them may travel on.
		throw new RoleTokenError("auth: expected a token signed by this deployment, got one that is not");
	}
}
