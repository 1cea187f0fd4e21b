/** The WebSocket address of a path at the Worker's origin. */
export function socketUrl(apiUrl: string, path: string): string {
	const url = new URL(path, apiUrl);
	url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
	return url.href;
}
