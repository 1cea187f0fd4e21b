/** Crockford's base 32 in lower case: no two characters that a person reading aloud would mix up. 256 is a multiple of 32, so no bias. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** 80 bits: no two broadcasts meet by chance, and an id still fits a stream key people paste. */
const BROADCAST_ID_LENGTH = 16;
export const BROADCAST_ID_PATTERN = /^[0-9a-hjkmnp-tv-z]{16}$/;

/** A string of `length` random characters, five bits each. */
export function randomCode(length: number): string {
	return codeOf(crypto.getRandomValues(new Uint8Array(length)));
}

/** The characters that random bytes make, one each. */
export function codeOf(bytes: Uint8Array): string {
	return Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/** @param bytes at least 16, which nobody can foretell */
export function broadcastIdFrom(bytes: Uint8Array): string {
	return codeOf(bytes.subarray(0, BROADCAST_ID_LENGTH));
}

export function newBroadcastId(): string {
	return randomCode(BROADCAST_ID_LENGTH);
}
