import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { deploySteps, type WranglerCall } from "./deploy-steps.ts";

/** `npm run deploy [-- options of wrangler deploy]`: the first time and every time after. Ends at the first step that fails. */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const WRANGLER = fileURLToPath(new URL("../node_modules/.bin/wrangler", import.meta.url));
/** Long lists of databases are still small. */
const MAX_LIST_BYTES = 16 * 1024 * 1024;

const options = process.argv.slice(2);
const steps: WranglerCall[] = options.includes("--dry-run")
	? [["deploy", ...options]]
	: deploySteps(databaseNames(), options);

for (const step of steps) {
	console.log(`deploy: wrangler ${step.join(" ")}`);
	const { status, signal, error } = spawnSync(WRANGLER, step, { cwd: ROOT, stdio: "inherit" });
	if (status !== 0) {
		console.error(
			`deploy: expected wrangler to succeed, it ended with ${error?.message ?? signal ?? `code ${status}`}`,
		);
		process.exit(1);
	}
}

/** wrangler asks to log in where nobody is. */
function databaseNames(): string[] {
	const listed = execFileSync(WRANGLER, ["d1", "list", "--json"], {
		cwd: ROOT,
		stdio: ["inherit", "pipe", "inherit"],
		maxBuffer: MAX_LIST_BYTES,
	});
	return z
		.array(z.object({ name: z.string() }))
		.parse(JSON.parse(listed.toString()))
		.map(({ name }) => name);
}
