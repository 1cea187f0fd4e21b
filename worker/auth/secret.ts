const encoder = new TextEncoder();

const SHA256_HEX = /^[0-9a-f]{64}$/;
/** As many as people may share a deployment's secret among them; each costs every request a comparison. */
const MAX_HASHES = 100;

/**
 * Whether `given` is one of the secrets `expected`, in a time that does not depend on which, nor on where they differ: all are hashed first,
 * so that neither their lengths nor a common beginning can be measured, and all are compared.
 */
export async function isOneOf(given: string, expected: readonly string[]): Promise<boolean> {
	return isHashOneOf(await sha256Hex(given), await Promise.all(expected.map(sha256Hex)));
}

/** The same of hashes, as {@link sha256Hex} gives them. */
export function isHashOneOf(given: string, expected: readonly string[]): boolean {
	return expected.reduce((matches, each) => matches | Number(hashesMatch(given, each)), 0) === 1;
}

/** Whether two texts of one length are the same, in a time that tells nothing of where they differ. For hashes and what is as long as another. */
export function hashesMatch(given: string, expected: string): boolean {
	if (given.length !== expected.length) {
		return false;
	}
	let difference = 0;
	for (let i = 0; i < given.length; i++) {
		difference |= given.charCodeAt(i) ^ expected.charCodeAt(i);
	}
	return difference === 0;
}

/** Hashes as a setting lists them, separated by commas; `undefined` when any of it is not the SHA-256 of something in lower-case hexadecimal. */
export function readHashes(setting: string): readonly string[] | undefined {
	const hashes = setting.split(",").map((each) => each.trim());
	return hashes.length <= MAX_HASHES && hashes.every((each) => SHA256_HEX.test(each)) ? hashes : undefined;
}

/** SHA-256 of the UTF-8 text, in lower-case hexadecimal. */
export async function sha256Hex(text: string): Promise<string> {
	return hex(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

/** HMAC-SHA-256 (RFC 2104) of the UTF-8 text: the same for the same text and key, and not to be foretold without the key. */
export async function hmacSha256(text: string, key: string): Promise<Uint8Array> {
	const parameters = { name: "HMAC", hash: "SHA-256" };
	const imported = await crypto.subtle.importKey("raw", encoder.encode(key), parameters, false, ["sign"]);
	return new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(text)));
}

function hex(bytes: ArrayBuffer): string {
	return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
