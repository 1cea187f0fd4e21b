/** JSON that also carries bytes: arguments and results of a run in the browser pass through it in both directions. */

const BYTES_KEY = "$bytes";
/** `String.fromCharCode(...)` takes its bytes as arguments, of which engines allow some 65,000. */
const CHARS_PER_CALL = 0x8000;

export function toWire(value: unknown): string {
	return JSON.stringify(value ?? null, (_key, item) =>
		item instanceof Uint8Array ? { [BYTES_KEY]: bytesToBase64(item) } : item,
	);
}

export function fromWire(text: string): unknown {
	return JSON.parse(text, (_key, item) =>
		typeof item === "object" && item !== null && typeof item[BYTES_KEY] === "string"
			? base64ToBytes(item[BYTES_KEY])
			: item,
	);
}

function bytesToBase64(bytes: Uint8Array): string {
	let text = "";
	for (let offset = 0; offset < bytes.length; offset += CHARS_PER_CALL) {
		text += String.fromCharCode(...bytes.subarray(offset, offset + CHARS_PER_CALL));
	}
	return btoa(text);
}

function base64ToBytes(text: string): Uint8Array {
	const chars = atob(text);
	const bytes = new Uint8Array(chars.length);
	for (let index = 0; index < chars.length; index++) {
		bytes[index] = chars.charCodeAt(index);
	}
	return bytes;
}
