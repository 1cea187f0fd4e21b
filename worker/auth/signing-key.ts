import { sha256Hex } from "./secret.ts";

/** The part of the Worker's `Env` that signing needs: no type of the platform, so that Node's tests can use it. */
export interface SigningEnv {
	readonly SIGNING_KEY?: string;
	readonly SIGNING_KEY_PREVIOUS?: string;
}

/** RFC 7518 §3.2 wants an HS256 key at least as long as the hash. */
const MIN_SIGNING_KEY_BYTES = 32;
/** 48 bits tell a deployment's two keys apart, and say nothing of either. */
const KEY_ID_LENGTH = 12;

/** The key role tokens are signed with; `undefined` when none is set, or one too short to be safe. */
export function signingKeyOf(env: SigningEnv): string | undefined {
	return longEnough(env.SIGNING_KEY);
}

/** Every key whose tokens count, the one that signs first; empty, whatever the previous one was, while there is none that signs. */
export function verifyingKeysOf(env: SigningEnv): readonly string[] {
	const current = signingKeyOf(env);
	const previous = longEnough(env.SIGNING_KEY_PREVIOUS);
	return current === undefined ? [] : [current, ...(previous === undefined ? [] : [previous])];
}

/** By which a token names its key (RFC 7515 §4.1.4). */
export async function keyIdOf(signingKey: string): Promise<string> {
	return (await sha256Hex(`tandem/signing-key-id/${signingKey}`)).slice(0, KEY_ID_LENGTH);
}

function longEnough(key = ""): string | undefined {
	return new TextEncoder().encode(key).byteLength < MIN_SIGNING_KEY_BYTES ? undefined : key;
}
