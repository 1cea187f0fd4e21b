import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * The API's types as a client sees them (dist/api-types) and the client made of them (dist/client), which `tandem/client` is; and what a page joins a
 * broadcast with (dist/join), which `tandem/join` is.
 */
export async function buildClient(): Promise<void> {
	compile("api-types");
	compile("client");
	await buildJoin(join(ROOT, "dist/join"));
}

/** Bundled, for it brings workers and worklets along: they lie in `code/` beside it, and are found from where it lies. Its types are in `types/`. */
export async function buildJoin(folder: string): Promise<void> {
	await build({
		configFile: false,
		root: ROOT,
		base: "./",
		publicDir: false,
		logLevel: "warn",
		worker: { format: "es" },
		build: {
			outDir: folder,
			emptyOutDir: true,
			target: "esnext",
			sourcemap: true,
			assetsDir: "code",
			modulePreload: false,
			rolldownOptions: {
				input: join(ROOT, "web/lib/join-broadcast.ts"),
				preserveEntrySignatures: "strict",
				output: { format: "es", entryFileNames: "join-broadcast.js" },
			},
		},
	});
	compile("join", "--outDir", join(folder, "types"));
}

function compile(project: string, ...options: readonly string[]): void {
	const { status, stdout, error } = spawnSync("tsc", ["-p", `tsconfig/${project}.json`, ...options], {
		cwd: ROOT,
		encoding: "utf8",
	});
	if (status !== 0) {
		throw new Error(`build: expected the client's types to be right, got ${error?.message ?? stdout}`);
	}
}
