/** Bytes written as hexadecimal digits, spaces where they help to read. */
export function hex(digits: string): Uint8Array {
	return Uint8Array.from(digits.replace(/\s+/g, "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
