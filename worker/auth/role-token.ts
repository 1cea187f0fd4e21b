import { decode, sign, verify } from "hono/jwt";
import { encodeBase64Url } from "hono/utils/encode";
import { z } from "zod";
import { BROADCAST_ROLES, personIdSchema } from "../protocol/roles.ts";
import { keyIdOf } from "./signing-key.ts";

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

/** What we read of a token's header before it is verified. */
const headerSchema = z.object({ alg: z.literal(ALGORITHM), kid: z.string().optional() });

/** A token that is not to be trusted. The message never holds the token. */
export class RoleTokenError extends Error {
	override readonly name = "RoleTokenError";
}

/** A signed role token (JWT, RFC 7519, HS256), which names its key by `kid`. */
export async function signRoleToken(claims: RoleClaims, signingKey: string): Promise<string> {
	return sign({ ...claims }, await webKey(signingKey), ALGORITHM);
}

/**
 * The claims of a token that this deployment signed and that has not expired.
 *
 * @param signingKeys all whose tokens count; one that names none is tried with each
 * @param nowS seconds since the epoch
 * @throws {RoleTokenError} for everything else, every algorithm but ours included
 */
export async function verifyRoleToken(
	token: string,
	signingKeys: readonly string[],
	nowS: number,
): Promise<RoleClaims> {
	if (token.length > MAX_TOKEN_LENGTH) {
		throw new RoleTokenError(`auth: expected a token of at most ${MAX_TOKEN_LENGTH} characters, got ${token.length}`);
	}
	const claims = roleClaimsSchema.safeParse(await verifiedPayload(token, signingKeys));
	if (!claims.success) {
		throw new RoleTokenError("auth: expected a token with broadcast, role and expiry, got other claims");
	}
	if (claims.data.exp <= nowS) {
		throw new RoleTokenError("auth: expected a token that is still valid, got one that has expired");
	}
	return claims.data;
}

async function verifiedPayload(token: string, signingKeys: readonly string[]): Promise<unknown> {
	const webKeys = await Promise.all(signingKeys.map(webKey));
	const named = keyIdIn(token);
	for (const key of webKeys.filter(({ kid }) => named === undefined || kid === named)) {
		try {
			// Expiry is checked by the caller, against the time it was given.
			return await verify(token, key, { alg: ALGORITHM, exp: false, iat: false, nbf: false });
		} catch {
			// hono's errors quote the token, so nothing of them may travel on; the other key may be the one.
		}
	}
	throw new RoleTokenError("auth: expected a token signed by this deployment, got one that is not");
}

/** Which key the token says it was signed with, unverified; `undefined` where it says nothing. @throws {RoleTokenError} for what is no token */
function keyIdIn(token: string): string | undefined {
	const header = headerSchema.safeParse(headerOf(token));
	if (!header.success) {
		throw new RoleTokenError("auth: expected a token with a header of ours, got another");
	}
	return header.data.kid;
}

function headerOf(token: string): unknown {
	try {
		return decode(token).header;
	} catch {
		throw new RoleTokenError("auth: expected a token signed by this deployment, got something else");
	}
}

/** As JSON Web Key (RFC 7517): the library takes a text for PEM when it looks like it. */
async function webKey(signingKey: string) {
	const k = encodeBase64Url(new TextEncoder().encode(signingKey).buffer).replace(/=+$/, "");
	return { kty: "oct", k, alg: ALGORITHM, kid: await keyIdOf(signingKey) } as const;
}
