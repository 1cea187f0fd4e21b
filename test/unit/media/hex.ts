/** Bytes written as in a specification's table: hexadecimal, spaces wherever they help. */
export function hex(text: string): Uint8Array {
	return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}

/** Every proper prefix of `bytes`, shortest first. */
export function prefixes(bytes: Uint8Array): Uint8Array[] {
	return Array.from(bytes, (_, length) => bytes.subarray(0, length));
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
	return Uint8Array.from(Buffer.concat(parts));
}
