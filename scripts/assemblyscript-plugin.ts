import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import asc from "assemblyscript/asc";
import type { Plugin } from "vite";
import type { VitestPluginContext } from "vitest/node";

/** What is appended to a path to import what it compiles to, rather than it. */
const QUERY = "?assemblyscript";
const OUTPUT = "kernels.wasm";

/**
 * `import bytes from "./index.ts?assemblyscript"` gives the WebAssembly that an AssemblyScript file and its neighbours compile to, as a `Uint8Array` inside
 * the bundle: some kilobytes, which are there as soon as the code is.
 */
export function assemblyscript(): Plugin {
	return {
		name: "tandem-assemblyscript",
		enforce: "pre",
		configureVitest({ defineCacheKeyGenerator: defineCacheKey }: VitestPluginContext) {
			// Vitest keeps what a file became for as long as that file is the same; here it is made of its neighbours as well.
			defineCacheKey(({ id }) => (id.endsWith(QUERY) ? false : undefined));
		},
		async resolveId(source, importer) {
			if (!source.endsWith(QUERY)) {
				return null;
			}
			const resolved = await this.resolve(source.slice(0, -QUERY.length), importer, { skipSelf: true });
			return resolved === null ? null : `${resolved.id}${QUERY}`;
		},
		async load(id) {
			if (!id.endsWith(QUERY)) {
				return null;
			}
			const entry = id.slice(0, -QUERY.length);
			for (const name of readdirSync(dirname(entry))) {
				this.addWatchFile(join(dirname(entry), name));
			}
			const base64 = Buffer.from(await compile(entry)).toString("base64");
			return `export default Uint8Array.from(atob("${base64}"), (each) => each.charCodeAt(0));`;
		},
	};
}

/** Throws with the compiler's words. */
async function compile(entry: string): Promise<Uint8Array> {
	let binary: Uint8Array | undefined;
	const { error, stderr } = await asc.main(
		[
			...[entry, "--baseDir", "/", "--outFile", OUTPUT, "-O3", "--runtime", "stub", "--noAssert"],
			...["--importMemory", "--enable", "simd"],
		],
		{
			writeFile: (name, contents) => {
				if (name === OUTPUT && typeof contents !== "string") {
					binary = contents;
				}
			},
		},
	);
	if (error !== null || binary === undefined) {
		throw new Error(`assemblyscript: expected ${entry} to compile, got: ${stderr.toString()}`, { cause: error });
	}
	return binary;
}
