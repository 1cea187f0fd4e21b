import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ASSETS = join(ROOT, "dist/assets");
const STAMP = join(ROOT, "dist/pages-built");
/** Everything a page is made of. */
const SOURCES = [
	"compositor-page",
	"web",
	"encoders",
	"playout",
	"sockets",
	"media",
	"worker/protocol",
	"vite.config.ts",
	"scripts/assemblyscript-plugin.ts",
	"package-lock.json",
];

/** Builds the pages into dist/assets when a source is newer than they are. */
export async function buildPagesIfStale(): Promise<void> {
	const newestMs = Math.max(...SOURCES.map((source) => newestChangeMs(join(ROOT, source))));
	if (existsSync(join(ASSETS, "compositor/index.html")) && existsSync(STAMP) && statSync(STAMP).mtimeMs >= newestMs) {
		return;
	}
	const startedS = Date.now() / 1_000;
	// Built aside and swapped in, so that a system that runs meanwhile never serves half a page.
	const fresh = join(ROOT, `dist/assets-${process.pid}`);
	const old = join(ROOT, `dist/assets-old-${process.pid}`);
	mkdirSync(join(ROOT, "dist"), { recursive: true });
	try {
		await build({
			configFile: join(ROOT, "vite.config.ts"),
			logLevel: "warn",
			build: { outDir: fresh, emptyOutDir: true },
		});
		if (existsSync(ASSETS)) {
			renameSync(ASSETS, old);
		}
		renameSync(fresh, ASSETS);
	} finally {
		rmSync(fresh, { recursive: true, force: true });
		rmSync(old, { recursive: true, force: true });
	}
	// As old as the beginning of the build: what changed while it ran is newer.
	writeFileSync(STAMP, "");
	utimesSync(STAMP, startedS, startedS);
}

function newestChangeMs(path: string): number {
	if (!existsSync(path)) {
		return 0;
	}
	const status = statSync(path);
	if (!status.isDirectory()) {
		return status.mtimeMs;
	}
	return Math.max(status.mtimeMs, ...readdirSync(path).map((name) => newestChangeMs(join(path, name))));
}
