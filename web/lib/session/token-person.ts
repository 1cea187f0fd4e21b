import { PERSON_IDS, type PersonId } from "../../../worker/protocol/roles.ts";

/** Role tokens are JWTs (RFC 7519): three parts in base64url. */
const ROLE_TOKEN = /^[\w-]+\.([\w-]+)\.[\w-]+$/;
/** `<broadcast>-<person>-<random>`. */
const STREAM_KEY = /^\w+-([a-z]+(?:-\d)?)-\w+$/;

/** Whom a role token or stream key says it is for, unverified: the edge has the last word. `undefined` where it is nobody's who can be on air. */
export function personOfToken(token: string): PersonId | undefined {
	const [, payload] = ROLE_TOKEN.exec(token) ?? [];
	const named = payload === undefined ? STREAM_KEY.exec(token)?.[1] : personInPayload(payload);
	return PERSON_IDS.find((person) => person === named);
}

function personInPayload(payload: string): unknown {
	try {
		const claims: { pid?: unknown; role?: unknown } | null = JSON.parse(
			atob(payload.replaceAll("-", "+").replaceAll("_", "/")),
		);
		return claims?.pid ?? claims?.role;
	} catch {
		// Three words with dots between them, and not a token.
		return undefined;
	}
}
