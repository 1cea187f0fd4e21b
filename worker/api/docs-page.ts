import type { Context } from "hono";
import { html, raw } from "hono/html";
import { PROBLEMS } from "../protocol/problem.ts";
import type { ApiEnv } from "./api-app.ts";
import { type ShownSchema, shape, typeInWords } from "./docs-schema.ts";
import type { openApiDocument } from "./openapi-document.ts";

type Document = ReturnType<typeof openApiDocument>;

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: color-mix(in srgb, currentColor 16%, transparent); --soft: color-mix(in srgb, currentColor 6%, transparent); }
body { margin: 2rem auto 6rem; max-width: 64rem; padding: 0 1rem; }
h1 { margin-bottom: 0; }
h2 { margin-top: 2.5rem; }
h3 { margin: 1.75rem 0 .25rem; text-transform: capitalize; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
a { color: light-dark(#0b57d0, #8ab4f8); }
code { font: .875em ui-monospace, monospace; }
details { border-top: 1px solid var(--line); }
details[open] { padding-bottom: 1rem; }
summary { align-items: baseline; cursor: pointer; display: flex; flex-wrap: wrap; gap: .1rem .75rem; list-style: none; padding: .45rem .25rem; }
summary:hover { background: var(--soft); }
summary span { color: color-mix(in srgb, currentColor 70%, transparent); }
b.method { border-radius: 4px; color: #fff; font: 600 .75rem/1.6 ui-monospace, monospace; min-width: 4rem; text-align: center; }
.get { background: #1a6b3c; } .post { background: #0b57d0; } .put, .patch { background: #8a5300; } .delete { background: #b3261e; }
table { border-collapse: collapse; margin: .25rem 0 1rem; width: 100%; }
th { font-size: .8rem; text-align: left; }
td, th { border-bottom: 1px solid var(--line); overflow-wrap: anywhere; padding: .3rem .75rem .3rem 0; vertical-align: top; }
td:nth-child(1) { width: 26%; } td:nth-child(2) { width: 34%; }
small { color: color-mix(in srgb, currentColor 65%, transparent); }
h4 { margin: .75rem 0 0; }
dt { font-weight: 600; margin-top: .5rem; }
dd { margin-left: 1rem; }
`;

interface Parameter {
	readonly name: string;
	readonly in: string;
	readonly required?: boolean;
	readonly description?: string;
	readonly schema?: ShownSchema;
}

type Content = Readonly<Record<string, { readonly schema?: ShownSchema }>>;

interface Operation {
	readonly summary?: string;
	readonly description?: string;
	readonly security?: unknown;
	readonly parameters?: readonly Parameter[];
	readonly requestBody?: { readonly content?: Content };
	readonly responses?: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>;
}

interface Route {
	readonly path: string;
	readonly method: string;
	readonly operation: Operation;
}

/** A page that shows the document for people: no script, nothing fetched from elsewhere. */
export function docsPage(c: Context<ApiEnv>, document: Document) {
	c.header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
	const routes: Route[] = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
		Object.entries(item).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
	);
	const areas = Map.groupBy(routes, ({ path }) => areaOf(path));
	return c.html(html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tandem API</title><style>${raw(STYLE)}</style></head>
<body>
<h1>Tandem API</h1>
<p>${document.info.description} The same as a document for tools: <a href="/api/openapi.json">OpenAPI 3.1</a>.</p>
<p>Tokens travel as <code>Authorization: Bearer …</code>: the admin's, or a role token, stream key or invite code of one broadcast.</p>
<nav>${[...areas.keys()].map((area) => html`<a href="#area-${area}">${area}</a>`)}<a href="#shapes">shapes</a><a href="#problems">problems</a></nav>
<h2>Routes</h2>
${[...areas].map(
	([area, inArea]) => html`<h3 id="area-${area}">${area}</h3>
${inArea.map(routeEntry)}`,
)}
<h2 id="shapes">Shapes</h2>
${Object.entries(document.components?.schemas ?? {}).map(
	([name, schema]) =>
		html`<details id="schema-${name}"><summary><code>${name}</code></summary>${shape(schema as ShownSchema)}</details>`,
)}
<h2 id="problems">Problems</h2>
<p>Refusals are problem documents (RFC 9457), told apart by their <code>type</code>.</p>
<dl>${Object.entries(PROBLEMS).map(
		([kind, { status, title }]) => html`<dt id="problem-${kind}"><code>${kind}</code></dt><dd>${status}: ${title}</dd>`,
	)}</dl>
</body>
</html>`);
}

/** What of a broadcast a route is about, by the word after its id. */
const AREAS: Readonly<Record<string, string>> = {
	destinations: "destinations",
	people: "people",
	invites: "people",
	join: "people",
	layout: "scene",
	scene: "scene",
	log: "events",
	events: "events",
	webhooks: "events",
	stats: "figures",
	metrics: "figures",
	public: "audience",
	audience: "audience",
	reminders: "audience",
	media: "sockets",
	control: "sockets",
};

function areaOf(path: string): string {
	const [, , collection, , below = ""] = path.split("/");
	if (collection !== "broadcasts") {
		return "deployment";
	}
	return AREAS[below.replace(/\..*/, "")] ?? "broadcasts";
}

function routeEntry({ path, method, operation }: Route) {
	const { summary, description, parameters = [], requestBody, responses = {}, security } = operation;
	const body = schemaOf(requestBody?.content);
	return html`<details><summary><b class="method ${method}">${method.toUpperCase()}</b><code>${path}</code><span>${summary ?? ""}</span></summary>
<p>${description ?? ""} ${security === undefined ? html`<small>Needs no token.</small>` : ""}</p>
${parameters.length === 0 ? "" : parameterTable(parameters)}
${body === undefined ? "" : html`<h4>Body</h4>${body.$ref === undefined ? shape(body) : html`<p>${typeInWords(body)}</p>`}`}
<h4>Answers</h4>
<table><tbody>${Object.entries(responses).map(([status, answer]) => {
		const schema = schemaOf(answer.content);
		return html`<tr><td><code>${status}</code></td><td>${schema === undefined ? "" : typeInWords(schema)}</td><td>${answer.description ?? ""}</td></tr>`;
	})}</tbody></table></details>`;
}

function parameterTable(parameters: readonly Parameter[]) {
	return html`<h4>Parameters</h4><table><tbody>${parameters.map(
		({ name, in: where, required, description, schema = {} }) =>
			html`<tr><td><code>${name}</code> <small>${where}${required === true ? "" : ", optional"}</small></td>
<td>${typeInWords(schema)}</td><td>${description ?? schema.description ?? ""}</td></tr>`,
	)}</tbody></table>`;
}

function schemaOf(content: Content | undefined): ShownSchema | undefined {
	return Object.values(content ?? {})[0]?.schema;
}
