import { spawnSync } from "node:child_process";

/** `npm run check`: types, lint, format, import cycles and layers, and a Worker that would deploy. The same here and in CI. */

/** The client's come before those who use it. */
const TYPE_PROJECTS = ["media", "rtmp", "egress", "worker", "api-types", "client", "kernels", "page", "node"];

const steps: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
	...TYPE_PROJECTS.map((project) => [`types of ${project}`, "tsc", "-p", `tsconfig/${project}.json`] as const),
	["lint, format, cycles and layers", "biome", "ci", "--colors=off", "--error-on-warnings", "."],
	["pages build", "node", "scripts/build.ts"],
	["Worker bundles", "wrangler", "deploy", "--dry-run", "--outdir", "dist/worker"],
];

const failed: string[] = [];
for (const [name, command, ...args] of steps) {
	const startedMs = performance.now();
	const result = spawnSync(command, args, {
		encoding: "utf8",
		maxBuffer: 64 * 1024 * 1024,
		env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true", NO_COLOR: "1" },
	});
	const ok = result.status === 0;
	console.log(`${ok ? "ok  " : "FAIL"} ${name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
	if (!ok) {
		failed.push(name);
		console.log(result.error?.message ?? `${result.stdout}${result.stderr}`);
	}
}

if (failed.length > 0) {
	console.log(`check failed: ${failed.join(", ")}`);
	process.exitCode = 1;
}
