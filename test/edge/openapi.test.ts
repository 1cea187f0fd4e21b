import { expect, test } from "vitest";
import { createApp } from "../../worker/api/app.ts";
import { call } from "./api-client.ts";
import { type OpenApi, operationsOf } from "./openapi-requests.ts";

/** About the description itself. */
const UNDESCRIBED = ["GET /api/openapi.json", "GET /api/docs"];

async function documentOfApi(): Promise<OpenApi> {
	return (await call("GET", "/api/openapi.json")).json<OpenApi>();
}

/** As OpenAPI writes what Hono's router calls `/:id/media/:stream{.+}`. */
function templated(path: string): string {
	return path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}");
}

test("the document describes every route, and no other", async () => {
	const served = createApp()
		.routes.filter(({ method }) => method !== "ALL")
		.map(({ method, path }) => `${method} ${templated(path)}`);
	const described = operationsOf(await documentOfApi()).map(({ method, path }) => `${method} ${path}`);
	expect([...new Set(served)].toSorted()).toEqual([...described, ...UNDESCRIBED].toSorted());
});

test("every operation says what it is for, who may ask and how it refuses", async () => {
	for (const { method, path, operation } of operationsOf(await documentOfApi())) {
		const { summary, responses = {} } = operation as typeof operation & { summary?: string };
		expect(summary, `${method} ${path}`).toMatch(/\w/);
		expect(Object.keys(responses), `${method} ${path}`).toContain("default");
		const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
		const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
		expect(parameters.map(({ name }) => name).toSorted(), `${method} ${path}`).toEqual(named.toSorted());
	}
});

test("every reference leads somewhere, and it is OpenAPI 3.1", async () => {
	const document = await documentOfApi();
	expect(document.openapi).toMatch(/^3\.1\./);
	const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
	expect(references.length).toBeGreaterThan(5);
	for (const [, name] of references) {
		expect(Object.keys(document.components?.schemas ?? {})).toContain(name);
	}
});
