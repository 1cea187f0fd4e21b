/** The value of a text message; `undefined` for what is no JSON, of which a schema then says in its own words what it expected. */
export function parseJsonMessage(data: ArrayBuffer | string): unknown {
	if (typeof data !== "string") {
		return undefined;
	}
	try {
		return JSON.parse(data);
	} catch {
		return undefined;
	}
}
