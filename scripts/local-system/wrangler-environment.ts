/** The system's own secrets reach the Worker another way, and nothing else that wrangler starts needs them. */
const SECRETS = ["ADMIN_TOKEN", "RUNNER_TOKEN", "SIGNING_KEY", "ENCRYPTION_KEY", "ENCRYPTION_KEY_PREVIOUS"];

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
