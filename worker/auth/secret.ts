const encoder = new TextEncoder();

/**
 * Whether `given` is the secret `expected`, in a time that does not depend on where they differ: both are hashed first, so that neither
 * their lengths nor a common beginning can be measured.
 */
export async function secretsMatch(given: string, expected: string): Promise<boolean> {
	const [a, b] = await Promise.all([sha256(given), sha256(expected)]);
	let difference = 0;
	for (let i = 0; i < a.length; i++) {
		difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
	}
	return difference === 0;
}

/** SHA-256 of the UTF-8 text, in lower-case hexadecimal. */
export async function sha256Hex(text: string): Promise<string> {
	return Array.from(await sha256(text), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sha256(text: string): Promise<Uint8Array> {
	return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}
