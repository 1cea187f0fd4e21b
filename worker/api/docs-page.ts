import type { Context } from "hono";
import { html, raw } from "hono/html";
import { PROBLEMS } from "../protocol/problem.ts";
import type { ApiEnv } from "./api-app.ts";
import type { openApiDocument } from "./openapi-document.ts";

type Document = ReturnType<typeof openApiDocument>;

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: color-mix(in srgb, currentColor 7%, transparent); border-radius: 6px; overflow-x: auto; padding: .75rem; }
details { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .5rem 0; }
summary { cursor: pointer; }
b.method { display: inline-block; min-width: 4.5rem; text-transform: uppercase; }
dt { font-weight: 600; margin-top: .5rem; }
`;

/** A page that shows the document as it is: no script, nothing fetched from elsewhere. */
export function docsPage(c: Context<ApiEnv>, document: Document) {
	c.header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
	const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
		Object.entries(item).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
	);
	return c.html(html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tandem API</title><style>${raw(STYLE)}</style></head>
<body>
<h1>Tandem API</h1>
<p>${document.info.description} The same as a document for tools: <a href="/api/openapi.json">OpenAPI 3.1</a>.</p>
<h2>Routes</h2>
${operations.map(operationEntry)}
<h2>Shapes</h2>
${Object.entries(document.components?.schemas ?? {}).map(
	([name, schema]) =>
		html`<details id="schema-${name}"><summary><code>${name}</code></summary>${json(schema)}</details>`,
)}
<h2>Problems</h2>
<p>Refusals are problem documents (RFC 9457), told apart by their <code>type</code>.</p>
<dl>${Object.entries(PROBLEMS).map(
		([kind, { status, title }]) => html`<dt id="problem-${kind}"><code>${kind}</code></dt><dd>${status}: ${title}</dd>`,
	)}</dl>
</body>
</html>`);
}

interface Operation {
	readonly summary?: string;
	readonly description?: string;
	readonly parameters?: unknown;
	readonly requestBody?: unknown;
	readonly responses?: unknown;
}

function operationEntry({ path, method, operation }: { path: string; method: string; operation: Operation }) {
	const { summary, description, parameters, requestBody, responses } = operation;
	return html`<details><summary><b class="method">${method}</b> <code>${path}</code> ${summary ?? ""}</summary>
<p>${description ?? ""}</p>${json({ parameters, requestBody, responses })}</details>`;
}

function json(value: unknown) {
	return html`<pre>${JSON.stringify(value, null, "  ")}</pre>`;
}
