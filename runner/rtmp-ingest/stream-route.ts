import { z } from "zod";
import { type PersonId, personIdSchema } from "../../worker/protocol/roles.ts";

/** Where a publisher's media goes, as its key says and the Worker has yet to check. */
export interface StreamRoute {
	readonly broadcastId: string;
	readonly stream: PersonId;
}

/** `<broadcastId>-<person>-<random>`. Looser than what the Worker hands out, since it is the Worker that judges. */
const STREAM_KEY = /^([0-9A-Za-z]{1,64})-([a-z]+(?:-\d)?)-[0-9A-Za-z_]{1,128}$/;
const TOKEN_PAYLOAD = /^[\w-]+\.([\w-]+)\.[\w-]+$/;
/** Our tokens are under 300 characters. */
const MAX_KEY_CHARS = 2_048;

const claimsSchema = z.object({
	bid: z.string().regex(/^[0-9A-Za-z]{1,64}$/),
	role: z.string(),
	pid: personIdSchema.optional(),
});

/**
 * The broadcast and stream that a stream key names: a short key, or a role token (JWT) whose payload is read without verifying.
 * `undefined` for anything else.
 */
export function routeOfStreamKey(streamKey: string): StreamRoute | undefined {
	if (streamKey.length > MAX_KEY_CHARS) {
		return undefined;
	}
	const [, payload] = TOKEN_PAYLOAD.exec(streamKey) ?? [];
	if (payload !== undefined) {
		return routeOfToken(payload);
	}
	const [, broadcastId, person] = STREAM_KEY.exec(streamKey) ?? [];
	const stream = personIdSchema.safeParse(person);
	return broadcastId !== undefined && stream.success ? { broadcastId, stream: stream.data } : undefined;
}

function routeOfToken(payload: string): StreamRoute | undefined {
	let claims: unknown;
	try {
		claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
	} catch {
		// Three words with dots between them, and not a token.
		return undefined;
	}
	const route = claimsSchema.safeParse(claims);
	if (!route.success) {
		return undefined;
	}
	const stream = personIdSchema.safeParse(route.data.pid ?? route.data.role);
	return stream.success ? { broadcastId: route.data.bid, stream: stream.data } : undefined;
}
