import { decodeBase64Url, encodeBase64Url } from "hono/utils/encode";

/** The part of the Worker's `Env` that sealing needs: no type of the platform, so that Node's tests can use it. */
export interface SealingEnv {
	readonly ENCRYPTION_KEY?: string;
	readonly ENCRYPTION_KEY_PREVIOUS?: string;
}

const VERSION = "v1";
/** AES-256 takes this many; what is derived from fewer is no stronger than they are. */
const MIN_KEY_BYTES = 32;
/** NIST SP 800-38D §5.2.1.1: the length GCM is made for. */
const IV_BYTES = 12;
/** Tells a handful of keys apart, and says nothing of them. */
const KEY_ID_BITS = 48;

/** What is derived from the one secret, each with an `info` of its own (RFC 5869 §3.2). */
const INFO = {
	encryption: "tandem/sealing/aes-gcm",
	keyId: "tandem/sealing/key-id",
	fingerprint: "tandem/fingerprint",
};

const encoder = new TextEncoder();

/** A text that could not be sealed or opened. The message never holds any of it, nor of the key. */
export class SealingError extends Error {
	override readonly name = "SealingError";
}

/** The secret that texts are sealed with; `undefined` when none is set, or one that is too short or not base64: what needs it is then refused. */
export function sealingKeyOf(env: SealingEnv): Uint8Array | undefined {
	return keyBytes(env.ENCRYPTION_KEY);
}

/**
 * The text encrypted with AES-256-GCM under the newest key, as `v1.<keyId>.<iv>.<ciphertext>` (base64url).
 *
 * @param use what the text is for, such as `destination:<broadcastId>`: it opens for the same use only
 * @throws {SealingError} when no key is set
 */
export async function seal(text: string, env: SealingEnv, use: string): Promise<string> {
	const secret = currentKey(env);
	const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
	const key = await encryptionKey(secret);
	const sealed = await crypto.subtle.encrypt(
		{ name: "AES-GCM", iv, additionalData: encoder.encode(use) },
		key,
		encoder.encode(text),
	);
	return [VERSION, await keyIdOf(secret), encoded(iv.buffer), encoded(sealed)].join(".");
}

/**
 * The text that {@link seal} was given, under the present key or the previous one.
 * @throws {SealingError} for one that was changed, sealed for another use, or with a key that is not set any more
 */
export async function unseal(sealed: string, env: SealingEnv, use: string): Promise<string> {
	const [version, keyId, iv, ciphertext, ...rest] = sealed.split(".");
	if (version !== VERSION || keyId === undefined || iv === undefined || ciphertext === undefined || rest.length > 0) {
		throw new SealingError("sealing: expected a text sealed as v1.<key>.<iv>.<text>, got another form");
	}
	const secret = await keyNamed(keyId, env);
	try {
		const opened = await crypto.subtle.decrypt(
			{ name: "AES-GCM", iv: decoded(iv), additionalData: encoder.encode(use) },
			await encryptionKey(secret),
			decoded(ciphertext),
		);
		return new TextDecoder().decode(opened);
	} catch {
		// What the platform says of it differs, and tells an attacker which part was wrong.
		throw new SealingError("sealing: expected a text sealed for this use and unchanged, got another");
	}
}

/**
 * HMAC-SHA-256 of the text in lower-case hexadecimal: the same for the same text, and of no use to whoever has not the secret. Another one
 * after the secret was replaced.
 * @throws {SealingError} when no key is set
 */
export async function fingerprint(text: string, env: SealingEnv): Promise<string> {
	const bytes = await derivedBits(currentKey(env), INFO.fingerprint, 256);
	const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
	const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
	return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function currentKey(env: SealingEnv): Uint8Array {
	const key = sealingKeyOf(env);
	if (key === undefined) {
		throw new SealingError("sealing: expected the secret ENCRYPTION_KEY to be 32 bytes in base64, got none or fewer");
	}
	return key;
}

async function keyNamed(keyId: string, env: SealingEnv): Promise<Uint8Array> {
	for (const key of [keyBytes(env.ENCRYPTION_KEY), keyBytes(env.ENCRYPTION_KEY_PREVIOUS)]) {
		if (key !== undefined && (await keyIdOf(key)) === keyId) {
			return key;
		}
	}
	throw new SealingError(
		"sealing: expected a text sealed with ENCRYPTION_KEY or ENCRYPTION_KEY_PREVIOUS, got one sealed with another key",
	);
}

function keyBytes(text: string | undefined): Uint8Array | undefined {
	if (text === undefined || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text) || text.replace(/=+$/, "").length % 4 === 1) {
		return undefined;
	}
	const bytes = decodeBase64Url(text);
	return bytes.byteLength < MIN_KEY_BYTES ? undefined : bytes;
}

async function encryptionKey(secret: Uint8Array): Promise<CryptoKey> {
	const bytes = await derivedBits(secret, INFO.encryption, 256);
	return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

async function keyIdOf(secret: Uint8Array): Promise<string> {
	return encoded(await derivedBits(secret, INFO.keyId, KEY_ID_BITS));
}

function encoded(bytes: ArrayBuffer): string {
	return encodeBase64Url(bytes).replace(/=+$/, "");
}

/** @throws {SealingError} for a second spelling of the same bytes: a sealed text has one form */
function decoded(text: string): Uint8Array<ArrayBuffer> {
	const bytes = decodeBase64Url(text);
	if (encoded(bytes.buffer) !== text) {
		throw new SealingError("sealing: expected base64url without padding, got another form");
	}
	return bytes;
}

/** HKDF-SHA-256 (RFC 5869) without salt: the secret is random already. */
async function derivedBits(secret: Uint8Array, info: string, bits: number): Promise<ArrayBuffer> {
	const material = await crypto.subtle.importKey("raw", secret.slice(), "HKDF", false, ["deriveBits"]);
	const parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(info) };
	return crypto.subtle.deriveBits(parameters, material, bits);
}
