import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { wranglerEnvironment } from "./wrangler-environment.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MIGRATIONS = join(ROOT, "worker/index-migrations");
const WRANGLER = join(ROOT, "node_modules/.bin/wrangler");
const STAMP = "index-migrations.sha256";
const APPLY_TIMEOUT_MS = 60_000;

/** Brings the D1 index in `persistFolder` up to date; at once where the same migrations were applied before. */
export async function applyIndexMigrations(persistFolder: string): Promise<void> {
	const stamp = join(persistFolder, STAMP);
	const wanted = hashOfMigrations();
	if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) {
		return;
	}
	const args = ["d1", "migrations", "apply", "INDEX", "--local", "--persist-to", persistFolder];
	try {
		await promisify(execFile)(WRANGLER, args, {
			cwd: ROOT,
			env: wranglerEnvironment(process.env),
			timeout: APPLY_TIMEOUT_MS,
		});
	} catch (error) {
		throw new Error("start: expected wrangler to apply the index's migrations, it failed", { cause: error });
	}
	writeFileSync(stamp, wanted);
}

function hashOfMigrations(): string {
	const hash = createHash("sha256");
	for (const name of readdirSync(MIGRATIONS).toSorted()) {
		hash.update(name).update(readFileSync(join(MIGRATIONS, name)));
	}
	return hash.digest("hex");
}
