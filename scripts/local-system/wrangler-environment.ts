/** The system's own secrets reach the Worker another way, and nothing else that wrangler starts needs them. */
const SECRETS = [
	"ADMIN_TOKEN",
	"ADMIN_TOKEN_SHA256",
	"RUNNER_TOKEN",
	"RUNNER_TOKEN_PREVIOUS",
	"SIGNING_KEY",
	"SIGNING_KEY_PREVIOUS",
	"ENCRYPTION_KEY",
	"ENCRYPTION_KEY_PREVIOUS",
	"WEBHOOK_SECRET",
];

/** The environment for wrangler: nothing asked of the user, nothing sent to or fetched from anywhere. */
export function wranglerEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const inherited = Object.fromEntries(Object.entries(environment).filter(([name]) => !SECRETS.includes(name)));
	return {
		...inherited,
		CI: "true",
		WRANGLER_SEND_METRICS: "false",
		WRANGLER_SEND_ERROR_REPORTS: "false",
		CLOUDFLARE_CF_FETCH_ENABLED: "false",
	};
}
