import { expect, test } from "vitest";
import { createApp } from "../../worker/api/app.ts";
import { call, create, problem } from "./api-client.ts";
import { type OpenApi, operationsOf } from "./openapi-requests.ts";

/** About the description itself. */
const UNDESCRIBED = ["GET /api/openapi.json", "GET /api/docs"];

/** What anyone may ask. */
const PUBLIC = [
	"GET /api/health",
	"GET /api/services",
	"GET /api/broadcasts/{id}/audience",
	"GET /api/broadcasts/{id}/public",
	"GET /api/broadcasts/{id}/public.ics",
	"POST /api/broadcasts/{id}/public/reminders",
	"DELETE /api/broadcasts/{id}/public/reminders/{reminderId}",
	"DELETE /api/whip/sessions/{broadcastId}/{sessionId}",
	"PATCH /api/whip/sessions/{broadcastId}/{sessionId}",
	"POST /api/whip/{streamKey}",
];

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

test("whoever has no token is refused wherever one is needed, before anything else is looked at", async () => {
	const { id } = await create();
	const operations = operationsOf(await documentOfApi());
	const open = operations.filter(({ operation }) => operation.security === undefined);
	expect(open.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(PUBLIC.toSorted());
	for (const { method, path, operation } of operations) {
		if (operation.security !== undefined) {
			expect(operation.security, `${method} ${path}`).toEqual([{ bearer: [] }]);
			const address = path
				.replace("{id}", id)
				.replace("{stream}", "host?direction=publish")
				.replace(/\{\w+\}/g, "none");
			const headers = {
				Authorization: "Bearer nobody",
				...(/media|control|connect/.test(path) ? { Upgrade: "websocket" } : {}),
			};
			await problem(await call(method, address, { token: undefined, headers }), 401, "unauthorized");
		}
	}
});

test("what it does not know it does not take", async () => {
	const document = await documentOfApi();
	expect(document.components).toHaveProperty("securitySchemes.bearer");
	expect(document.components?.schemas?.NewBroadcast).toMatchObject({
		additionalProperties: false,
		required: ["title"],
	});
});
