import { expect, test } from "vitest";
import { call, create, problem } from "./api-client.ts";
import { type OpenApi, operationsOf } from "./openapi-requests.ts";

/** Of no version that ever was. */
const STALE = '"999999"';

/** What each write needs to come as far as the broadcast. One that is not here fails the test below. */
const BODIES: Readonly<Record<string, unknown>> = {
	"PATCH /api/broadcasts/{id}": { title: "Changed" },
	"PUT /api/broadcasts/{id}/layout": { layout: "pip" },
	"PUT /api/broadcasts/{id}/scene": { layout: "pip" },
	"POST /api/broadcasts/{id}/destinations": { service: "custom", url: "rtmp://127.0.0.1:1/live", streamKey: "another" },
	"PATCH /api/broadcasts/{id}/destinations/{destinationId}": { name: "Changed" },
	"PATCH /api/broadcasts/{id}/people/{personId}": { name: "Changed" },
	"POST /api/broadcasts/{id}/invites": { maxUses: 1 },
	"POST /api/broadcasts/{id}/webhooks": { url: "http://127.0.0.1:1/hook" },
};

/** Writes that do not change what the broadcast's version counts. */
const WITHOUT: readonly string[] = [
	// There is no version yet.
	"POST /api/broadcasts",
	// A guest knows of none, and a reminder is not the broadcast's.
	"POST /api/broadcasts/{id}/join",
	"POST /api/broadcasts/{id}/public/reminders",
	"DELETE /api/broadcasts/{id}/public/reminders/{reminderId}",
	// These change nothing of it.
	"POST /api/broadcasts/{id}/destinations/{destinationId}/test",
	"POST /api/broadcasts/{id}/webhooks/{webhookId}/replay",
];

async function ids(): Promise<Record<string, string>> {
	const { id, destinations } = await create({
		destinations: [{ service: "custom", url: "rtmp://127.0.0.1:1/live", streamKey: "k" }],
	});
	const made = async (path: string, body: unknown) =>
		(await (await call("POST", `/api/broadcasts/${id}/${path}`, { body })).json<{ id: string }>()).id;
	return {
		id,
		destinationId: destinations[0]?.id ?? "",
		personId: "guest",
		inviteId: await made("invites", { maxUses: 1 }),
		webhookId: await made("webhooks", { url: "http://127.0.0.1:1/hook" }),
	};
}

async function document() {
	return operationsOf(await (await call("GET", "/api/openapi.json")).json<OpenApi>());
}

test("every write of a broadcast can be bound to a version of it, and none is done on another", async () => {
	const known = await ids();
	// An encoder knows of no version; its session has an entity tag of its own (RFC 9725 §4.3).
	const writes = (await document()).filter(({ method, path }) => method !== "GET" && !path.startsWith("/api/whip"));
	const before = await (await call("GET", `/api/broadcasts/${known.id}`)).text();
	expect(writes.map(({ method, path }) => `${method} ${path}`)).toEqual(
		expect.arrayContaining([...Object.keys(BODIES), ...WITHOUT]),
	);
	for (const { method, path, operation } of writes) {
		const route = `${method} ${path}`;
		const described = (operation.parameters ?? []).some(({ name }) => name.toLowerCase() === "if-match");
		expect(described, `${route} says If-Match`).toBe(!WITHOUT.includes(route));
		if (described) {
			const body = operation.requestBody === undefined ? undefined : BODIES[route];
			expect(body === undefined, `${route} has a body here`).toBe(operation.requestBody === undefined);
			const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => known[name] ?? "");
			const response = await call(method, filled, {
				headers: { "If-Match": STALE },
				...(body === undefined ? {} : { body }),
			});
			expect(response.status, route).toBe(412);
			await problem(response, 412, "precondition-failed");
		}
	}
	expect(await (await call("GET", `/api/broadcasts/${known.id}`)).text()).toBe(before);
});

test("whoever has a single thing as it is need not get it again", async () => {
	const known = await ids();
	const conditional = (await document()).filter(
		({ method, operation }) => method === "GET" && operation.responses?.["304"] !== undefined,
	);
	expect(conditional.map(({ path }) => path)).toEqual(
		expect.arrayContaining([
			"/api/broadcasts/{id}",
			"/api/broadcasts/{id}/destinations/{destinationId}",
			"/api/broadcasts/{id}/public",
		]),
	);
	for (const { path } of conditional) {
		const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => known[name] ?? "");
		const tag = (await call("GET", filled)).headers.get("ETag") ?? "";
		expect(tag, path).toMatch(/^"[^"]+"$/);
		for (const header of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) {
			const response = await call("GET", filled, { headers: { "If-None-Match": header } });
			expect([response.status, response.headers.get("ETag"), await response.text()], `${path} ${header}`).toEqual([
				304,
				tag,
				"",
			]);
		}
		expect((await call("GET", filled, { headers: { "If-None-Match": STALE } })).status, path).toBe(200);
		await call("PATCH", `/api/broadcasts/${known.id}`, { body: { title: `Changed for ${path}` } });
		expect((await call("GET", filled, { headers: { "If-None-Match": tag } })).status, path).toBe(200);
	}
});
