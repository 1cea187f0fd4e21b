import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { assemblyscript } from "./scripts/assemblyscript-plugin.ts";
import { RATE_LIMITS } from "./worker/limits.ts";

/** Long enough for a loaded 2-core machine; tests wait for conditions, this only bounds a hang. */
const REAL_BROWSER_TIMEOUT_MS = 120_000;
const END_TO_END_TIMEOUT_MS = 240_000;

/** One project after the other: what runs in real time must not share two cores with what computes. */
const ORDER = { unit: 0, edge: 1, browser: 2, e2e: 3 };

/** The platform's own limiter, for the test that wants to see it refuse. */
const STRICT_RATE_LIMIT = { RATE_TEST: { namespace_id: "100", simple: { limit: 3, period: 60 as const } } };

/** Tests ask more in a minute than anybody else; what is about limits brings its own. */
function generousRateLimits() {
	const rules = Object.entries(RATE_LIMITS).map(([name, { periodS: period }], index) => [
		name,
		{ namespace_id: String(index + 1), simple: { limit: 1_000_000, period } },
	]);
	return { ...Object.fromEntries(rules), ...STRICT_RATE_LIMIT };
}

export default defineConfig({
	test: {
		// Each request logs a line, which would bury the tests' own words.
		onConsoleLog: (line) => !/^\{"time":"[^"]+","level":"info"/.test(line),
		projects: [
			{
				plugins: [assemblyscript()],
				test: {
					name: "unit",
					include: ["test/unit/**/*.test.ts"],
					setupFiles: ["test/unit/property-seed.ts"],
					testTimeout: 30_000,
					sequence: { groupOrder: ORDER.unit },
				},
			},
			{
				plugins: [
					cloudflareTest({
						wrangler: { configPath: "./wrangler.toml" },
						miniflare: {
							bindings: {
								ADMIN_TOKEN: "test-admin-token",
								RUNNER_TOKEN: "test-runner-token",
								SIGNING_KEY: "test-signing-key-of-at-least-32-bytes",
								ENCRYPTION_KEY: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=",
								ENCRYPTION_KEY_PREVIOUS: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI=",
								ALLOW_PRIVATE_DESTINATIONS: "1",
								TEST_MIGRATIONS: await readD1Migrations("worker/index-migrations"),
							},
							ratelimits: generousRateLimits(),
						},
					}),
				],
				test: {
					name: "edge",
					include: ["test/edge/**/*.test.ts"],
					setupFiles: ["test/edge/apply-migrations.ts"],
					testTimeout: 30_000,
					sequence: { groupOrder: ORDER.edge },
				},
			},
			{
				test: {
					name: "browser",
					sequence: { groupOrder: ORDER.browser },
					include: ["test/browser/**/*.test.ts"],
					testTimeout: REAL_BROWSER_TIMEOUT_MS,
					hookTimeout: REAL_BROWSER_TIMEOUT_MS,
					fileParallelism: false,
				},
			},
			{
				test: {
					name: "e2e",
					sequence: { groupOrder: ORDER.e2e },
					include: ["test/e2e/**/*.test.ts"],
					testTimeout: END_TO_END_TIMEOUT_MS,
					hookTimeout: END_TO_END_TIMEOUT_MS,
					fileParallelism: false,
				},
			},
		],
	},
});
