/** What the harness' own test runs in the browser. */

export function describePlace(
	greeting: string,
	bytes: Uint8Array,
): { greeting: string; worker: boolean; bytes: Uint8Array } {
	return { greeting, worker: typeof document === "undefined", bytes: bytes.map((byte) => byte + 1) };
}

export function fail(): never {
	throw new Error("probe: failed on purpose");
}

export function hang(): Promise<void> {
	return new Promise(() => {});
}
