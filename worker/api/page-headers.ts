/** What a page may do: take pictures and sound, and talk to this deployment. Everything that is not named is refused by it or by its default. */
const PERMISSIONS = [
	"camera=(self)",
	"microphone=(self)",
	"display-capture=(self)",
	"speaker-selection=(self)",
	"autoplay=(self)",
	"fullscreen=(self)",
	"geolocation=()",
	"payment=()",
	"usb=()",
	"serial=()",
	"hid=()",
	"midi=()",
	"accelerometer=()",
	"gyroscope=()",
	"magnetometer=()",
];

/**
 * The headers of the pages that people open to be on air. Whoever could run a script in them, or frame them, would have a camera and a token.
 *
 * @param host of the request: browsers do not agree on whether 'self' means a WebSocket too
 */
export function pageHeaders(host: string): Readonly<Record<string, string>> {
	const policy = [
		"default-src 'none'",
		// WebAssembly: the AAC encoder where the browser has none.
		"script-src 'self' 'wasm-unsafe-eval'",
		// Such encoders start their worker from a blob.
		"worker-src 'self' blob:",
		"style-src 'self'",
		// Posters lie where their owner keeps them.
		"img-src 'self' data: https:",
		"media-src 'self' blob: mediastream:",
		`connect-src 'self' ws://${host} wss://${host}`,
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	];
	return {
		"Content-Security-Policy": policy.join("; "),
		"Permissions-Policy": PERMISSIONS.join(", "),
		"Referrer-Policy": "no-referrer",
		"X-Content-Type-Options": "nosniff",
		"X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin",
		// The page names its code by content; a page from before a deploy would name code that is gone.
		"Cache-Control": "no-cache",
	};
}
