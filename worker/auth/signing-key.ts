import type { Env } from "../env.ts";

/** RFC 7518 §3.2 wants an HS256 key at least as long as the hash. */
const MIN_SIGNING_KEY_BYTES = 32;

/** The key role tokens are signed with; `undefined` when none is set, or one too short to be safe. */
export function signingKeyOf(env: Pick<Env, "SIGNING_KEY">): string | undefined {
	const key = env.SIGNING_KEY ?? "";
	return new TextEncoder().encode(key).byteLength < MIN_SIGNING_KEY_BYTES ? undefined : key;
}
