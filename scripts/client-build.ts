import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The API's types as a client sees them (dist/api-types), and the client made of them (dist/client), which `tandem/client` is. */
export function buildClient(): void {
	for (const project of ["api-types", "client"]) {
		const { status, stdout, error } = spawnSync("tsc", ["-p", `tsconfig/${project}.json`], {
			cwd: ROOT,
			encoding: "utf8",
		});
		if (status !== 0) {
			throw new Error(`build: expected the client's types to be right, got ${error?.message ?? stdout}`);
		}
	}
}
