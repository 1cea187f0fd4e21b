import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { assemblyscript } from "./scripts/assemblyscript-plugin.ts";

/**
 * Builds every page into `dist/assets`, which the Worker serves: `compositor-page/` at `/compositor/`, and each folder of `web/` that
 * has an index.html at the path of its name. The Worker itself is bundled by wrangler.
 */

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const COMPOSITOR_SOURCE = "compositor-page/index.html";
const COMPOSITOR_PAGE = "compositor/index.html";

/** Source path of each page's HTML → the path it is served at. */
export function pagesOf(root: string): ReadonlyMap<string, string> {
	const pages = new Map([[COMPOSITOR_SOURCE, COMPOSITOR_PAGE]]);
	const web = join(root, "web");
	const folders = existsSync(web) ? readdirSync(web).toSorted() : [];
	for (const folder of folders) {
		if (existsSync(join(web, folder, "index.html"))) {
			pages.set(`web/${folder}/index.html`, `${folder}/index.html`);
		}
	}
	return pages;
}

/** Vite names a page after its source folder; the address people and runners use does not depend on where the source lies. */
function servePagesAt(pages: ReadonlyMap<string, string>): Plugin {
	return {
		name: "tandem-page-addresses",
		enforce: "post",
		generateBundle(_options, bundle) {
			for (const [source, address] of pages) {
				const page = bundle[source];
				if (page?.type === "asset") {
					this.emitFile({ type: "asset", fileName: address, source: page.source });
					delete bundle[source];
				}
			}
		},
	};
}

const pages = pagesOf(ROOT);

export default defineConfig({
	root: ROOT,
	publicDir: false,
	appType: "mpa",
	plugins: [assemblyscript(), servePagesAt(pages)],
	// Preact's own JSX, without a plugin.
	oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
	worker: { format: "es", plugins: () => [assemblyscript()] },
	build: {
		outDir: "dist/assets",
		emptyOutDir: true,
		target: "esnext",
		sourcemap: true,
		// The compositor page is one runner's, not a visitor's: readable stack traces are worth more than bytes.
		minify: false,
		assetsDir: "code",
		modulePreload: { polyfill: false },
		rolldownOptions: { input: [...pages.keys()].map((source) => join(ROOT, source)) },
	},
});
