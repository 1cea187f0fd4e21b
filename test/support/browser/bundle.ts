import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { assemblyscript } from "../../../scripts/assemblyscript-plugin.ts";

const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
const WIRE = fileURLToPath(new URL("./wire.ts", import.meta.url));

/**
 * Bundles a TypeScript module of this repository into `directory` as `/entry.js`, which answers calls of the module's exports: by
 * `globalThis.tandemRun(exportName, argsWire)` in a page, by a message `[exportName, argsWire]` in a worker.
 */
export async function bundleForBrowser(modulePath: string, directory: string): Promise<void> {
	const entry = join(directory, "entry-source.ts");
	await writeFile(entry, entrySource(modulePath));
	await build({
		configFile: false,
		root: REPOSITORY,
		base: "./",
		logLevel: "error",
		publicDir: false,
		plugins: [assemblyscript()],
		build: {
			outDir: directory,
			emptyOutDir: false,
			target: "esnext",
			minify: false,
			sourcemap: "inline",
			modulePreload: false,
			rolldownOptions: { input: entry, output: { format: "es", entryFileNames: "entry.js" } },
		},
		worker: { format: "es", plugins: () => [assemblyscript()] },
	});
}

function entrySource(modulePath: string): string {
	return `
import * as tested from ${JSON.stringify(modulePath)};
import { fromWire, toWire } from ${JSON.stringify(WIRE)};

async function run(exportName, argsWire) {
	const call = tested[exportName];
	if (typeof call !== "function") {
		throw new Error("browser run: expected an exported function, got " + typeof call + " for " + exportName);
	}
	return toWire(await call(...fromWire(argsWire)));
}

globalThis.tandemRun = run;
if (typeof document === "undefined") {
	globalThis.onmessage = ({ data: [exportName, argsWire] }) => {
		run(exportName, argsWire).then(
			(result) => globalThis.postMessage({ result }),
			(error) => globalThis.postMessage({ error: String(error?.stack ?? error) }),
		);
	};
}
`;
}
