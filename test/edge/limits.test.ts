import { expect, test, vi } from "vitest";
import { createApp } from "../../worker/api/app.ts";
import { clientAddress } from "../../worker/api/rate-limit.ts";
import type { Env } from "../../worker/env.ts";
import { type Created, call, create, env, problem, roleToken, until } from "./api-client.ts";
import { type OpenApi, operationsOf } from "./openapi-requests.ts";

const ADMIN = "test-admin-token";
const UPGRADE = { Upgrade: "websocket" };

/** Lets each key by so often. */
class Limiter implements RateLimit {
	readonly keys: string[] = [];
	readonly #limit: number;

	constructor(limit: number) {
		this.#limit = limit;
	}

	limit({ key }: { key: string }): Promise<{ success: boolean }> {
		this.keys.push(key);
		return Promise.resolve({ success: this.keys.filter((each) => each === key).length <= this.#limit });
	}
}

interface Asked {
	readonly method?: string;
	readonly token?: string;
	readonly body?: unknown;
	readonly headers?: Record<string, string>;
	readonly address?: string;
}

async function ask(path: string, settings: Partial<Env>, asked: Asked = {}): Promise<Response> {
	const { method = "GET", token, body, headers, address } = asked;
	const request = new Request(`http://tandem.example${path}`, {
		method,
		headers: {
			...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
			...(address === undefined ? {} : { "CF-Connecting-IP": address }),
			...(body === undefined ? {} : { "Content-Type": "application/json" }),
			...headers,
		},
		...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
	});
	const response = await createApp().fetch(request, { ...env, ...settings });
	response.webSocket?.accept();
	response.webSocket?.close(1000);
	return response;
}

async function limited(response: Response): Promise<string> {
	expect(response.headers.get("Retry-After")).toBe("60");
	return (await problem(response, 429, "rate-limited")).detail;
}

test("a token may ask so often, whoever's address it comes from, and another's is its own", async () => {
	const { id, tokens } = await create();
	const RATE_API = new Limiter(2);
	const get = (token: string, address: string) => ask(`/api/broadcasts/${id}`, { RATE_API }, { token, address });
	expect([(await get(tokens.host, "192.0.2.1")).status, (await get(tokens.host, "192.0.2.2")).status]).toEqual([
		200, 200,
	]);
	expect(await limited(await get(tokens.host, "192.0.2.3"))).toContain("RATE_API");
	expect((await get(tokens.guest, "192.0.2.1")).status).toBe(200);
	for (const key of RATE_API.keys) {
		expect(key).toMatch(/^[0-9a-f]{64}$/);
	}
});

test("compositors, runners and publishers who connect again and again are not held up", async () => {
	const { id, tokens, ingest } = await create();
	const none = new Limiter(0);
	const settings = { RATE_API: none, RATE_CREATE: none, RATE_PUBLIC: none, RATE_WRONG_TOKENS: none };
	const compositor = await roleToken(id, "compositor", { fence: 1 });
	const open = (path: string, token: string) => ask(path, settings, { token, headers: UPGRADE });
	expect((await open("/api/runners/connect", "test-runner-token")).status).toBe(101);
	const streamKey = ingest.host.rtmp.streamKey;
	expect((await open(`/api/broadcasts/${id}/media/host?direction=publish`, streamKey)).status).toBe(101);
	expect((await open(`/api/broadcasts/${id}/media/program/main?direction=subscribe`, tokens.viewer)).status).toBe(101);
	expect((await open(`/api/broadcasts/${id}/control`, tokens.host)).status).toBe(101);
	// It has no lease, and is told that rather than to wait.
	await problem(await open(`/api/broadcasts/${id}/control`, compositor), 409, "taken-over");
	expect(none.keys).toEqual([]);
});

test("wrong tokens of an address are counted everywhere, and right ones from there are let in all the same", async () => {
	const { id, tokens } = await create();
	const wrong = `${id}-host-${"0".repeat(24)}`;
	const tries: Record<string, [string, Asked]> = {
		route: [`/api/broadcasts/${id}`, { token: wrong }],
		create: ["/api/broadcasts", { method: "POST", token: "nonsense", body: { title: "x" } }],
		media: [`/api/broadcasts/${id}/media/host?direction=publish`, { token: wrong, headers: UPGRADE }],
		control: [`/api/broadcasts/${id}/control`, { token: "a.b.c", headers: UPGRADE }],
		runner: ["/api/runners/connect", { token: "nonsense", headers: UPGRADE }],
		"invite of another form": [`/api/broadcasts/${id}/join`, { method: "POST", token: "nonsense", body: {} }],
		invite: [`/api/broadcasts/${id}/join`, { method: "POST", token: `${id}-invite-${"0".repeat(24)}`, body: {} }],
		metrics: ["/metrics", { token: "nonsense" }],
	};
	for (const [what, [path, asked]] of Object.entries(tries)) {
		const RATE_WRONG_TOKENS = new Limiter(1);
		const from = (address: string) => ask(path, { RATE_WRONG_TOKENS }, { ...asked, address });
		expect((await from("192.0.2.1")).status, what).toBe(401);
		expect((await from("192.0.2.1")).status, what).toBe(429);
		expect((await from("192.0.2.2")).status, what).toBe(401);
	}
	const settings = { RATE_WRONG_TOKENS: new Limiter(0) };
	expect((await ask(`/api/broadcasts/${id}`, settings, { token: tokens.host })).status).toBe(200);
	// Whoever sends none has not guessed.
	await problem(await ask(`/api/broadcasts/${id}`, settings), 401, "unauthorized");
	await limited(await ask(`/api/broadcasts/${id}`, settings, { token: "nonsense" }));
});

test("a browser whose socket is refused for too many wrong tokens may try again later", async () => {
	const { id } = await create();
	const headers = { ...UPGRADE, "Sec-WebSocket-Protocol": "tandem, bearer.nonsense" };
	const request = new Request(`http://tandem.example/api/broadcasts/${id}/control`, { headers });
	const response = await createApp().fetch(request, { ...env, RATE_WRONG_TOKENS: new Limiter(0) });
	const closing = Promise.withResolvers<number>();
	response.webSocket?.addEventListener("close", ({ code }) => closing.resolve(code));
	response.webSocket?.accept();
	expect(await closing.promise).toBe(4429);
});

test("broadcasts are created so often a token, repetitions aside, and no refusal for that is kept", async () => {
	const RATE_CREATE = new Limiter(1);
	const post = (key: string, token = ADMIN) =>
		ask(
			"/api/broadcasts",
			{ RATE_CREATE },
			{ method: "POST", token, body: { title: "x" }, headers: { "Idempotency-Key": key } },
		);
	expect((await post("limited-1")).status).toBe(201);
	expect((await post("limited-1")).status).toBe(201);
	await limited(await post("limited-2"));
	await limited(await post("limited-2"));
	expect((await ask("/api/broadcasts", { RATE_CREATE }, { token: ADMIN })).status).toBe(200);
});

test("everything that needs no token is limited by address, and the document knows of no other", async () => {
	const { id } = await create();
	const document = await (await call("GET", "/api/openapi.json")).json<OpenApi>();
	const open = operationsOf(document).filter(({ operation }) => operation.security === undefined);
	expect(open.map(({ path }) => path)).toContain("/api/broadcasts/{id}/public");
	for (const { method, path } of [
		...open,
		{ method: "GET", path: "/api/openapi.json" },
		{ method: "GET", path: "/api/docs" },
	]) {
		const filled = path.replace("{id}", id).replace(/\{\w+\}/g, "nothing");
		const RATE_PUBLIC = new Limiter(0);
		const body = method === "POST" ? { contact: "a@example.com" } : undefined;
		await limited(await ask(filled, { RATE_PUBLIC }, { method, ...(body && { body }), address: "192.0.2.1" }));
		expect(RATE_PUBLIC.keys, path).toEqual(["192.0.2.1"]);
	}
	const RATE_PUBLIC = new Limiter(0);
	await limited(await ask(`/api/broadcasts/${id}/join`, { RATE_PUBLIC }, { method: "POST", body: {} }));
});

test("an address of IPv6 counts by its /64", () => {
	const addresses: Record<string, string> = {
		"192.0.2.1": "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:DB8:1:2::9": "2001:db8:1:2::/64",
		"2001:0db8:0001:0002::": "2001:db8:1:2::/64",
		"2001:db8::1": "2001:db8:0:0::/64",
		"::1": "0:0:0:0::/64",
		"::ffff:192.0.2.1": "::ffff:192.0.2.1",
		"": "unknown",
	};
	for (const [address, key] of Object.entries(addresses)) {
		expect(clientAddress(new Headers({ "CF-Connecting-IP": address })), address).toBe(key);
	}
	expect(clientAddress(new Headers())).toBe("unknown");
});

test("the platform's limiter counts as ours are told, and one that fails lets by", async () => {
	const { id, tokens } = await create();
	const { RATE_TEST } = env as Env & { readonly RATE_TEST: RateLimit };
	const statuses: number[] = [];
	// Its minute may end meanwhile, but not twice.
	for (let request = 0; request < 9; request++) {
		statuses.push((await ask(`/api/broadcasts/${id}`, { RATE_API: RATE_TEST }, { token: tokens.host })).status);
	}
	expect(statuses[0]).toBe(200);
	expect(statuses).toContain(429);
	const lines = vi.spyOn(console, "warn").mockReturnValue();
	const broken = { limit: () => Promise.reject(new Error("test: broken")) };
	expect((await ask(`/api/broadcasts/${id}`, { RATE_API: broken }, { token: tokens.host })).status).toBe(200);
	expect(lines.mock.calls.join()).toContain("a rate limit could not be asked");
	lines.mockRestore();
});

test("a deployment may allow less, and a setting that makes no sense changes nothing and is logged once", async () => {
	const post = (body: unknown, settings: Partial<Env>) =>
		ask("/api/broadcasts", settings, { method: "POST", token: ADMIN, body });
	const destination = { service: "custom", url: "rtmp://127.0.0.1:1/live", streamKey: "k" };
	await problem(await post({ title: "x", maxGuests: 3 }, { MAX_GUESTS: "2" }), 400, "invalid-request");
	const { id } = await (await post({ title: "x", maxGuests: 2 }, { MAX_GUESTS: "2" })).json<Created>();
	const patch = { method: "PATCH", token: ADMIN, body: { maxGuests: 3 } };
	await problem(await ask(`/api/broadcasts/${id}`, { MAX_GUESTS: "2" }, patch), 400, "invalid-request");
	await problem(
		await post({ title: "x", destinations: [destination] }, { MAX_DESTINATIONS: "0" }),
		400,
		"invalid-request",
	);
	const large = await problem(await post({ title: "x".repeat(2_000) }, { MAX_BODY_BYTES: "1024" }), 413, "too-large");
	expect(large.detail).toContain("1024");
	const lines = vi.spyOn(console, "error").mockReturnValue();
	const settings = { ...env, MAX_GUESTS: "lots" };
	const request = () =>
		new Request(`http://tandem.example/api/broadcasts/${id}`, { headers: { Authorization: `Bearer ${ADMIN}` } });
	await createApp().fetch(request(), settings);
	await createApp().fetch(request(), settings);
	expect(lines.mock.calls).toHaveLength(1);
	expect(lines.mock.calls.join()).toContain("expected MAX_GUESTS to be a whole number from 1 to 4");
	lines.mockRestore();
});

test("there are so many broadcasts that are not over, by the list, and a list that is gone keeps nobody from going live", async () => {
	const { id } = await create();
	const open = await until("the broadcast to be listed", async () => {
		const { results } = await env.INDEX.prepare(
			"SELECT id FROM broadcasts WHERE status NOT IN ('ended', 'cancelled')",
		).all();
		return results.some((row) => row.id === id) ? results.length : undefined;
	});
	const post = (settings: Partial<Env>) =>
		ask("/api/broadcasts", settings, { method: "POST", token: ADMIN, body: { title: "x" } });
	await problem(await post({ MAX_BROADCASTS: String(open) }), 409, "too-many");
	await call("POST", `/api/broadcasts/${id}/cancel`);
	await until("it to be listed as over", async () => {
		const row = await env.INDEX.prepare("SELECT status FROM broadcasts WHERE id = ?")
			.bind(id)
			.first<{ status: string }>();
		return row?.status === "cancelled" || undefined;
	});
	expect((await post({ MAX_BROADCASTS: String(open) })).status).toBe(201);
	const lines = vi.spyOn(console, "warn").mockReturnValue();
	const INDEX = {
		prepare: () => {
			throw new Error("test: gone");
		},
	} as unknown as D1Database;
	expect((await post({ INDEX, MAX_BROADCASTS: "1" })).status).toBe(201);
	lines.mockRestore();
});

test("JSON that is made to harm does none", async () => {
	const post = (body: string) => call("POST", "/api/broadcasts", { body });
	const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);
	const bodies: Record<string, string> = {
		"lists in lists": nested("[", "]", 30_000),
		"objects in objects": `${'{"a":'.repeat(9_000)}1${"}".repeat(9_000)}`,
		"a setting that is nested": `{"title":"x","layout":${nested("[", "]", 30_000)}}`,
		"nested and never closed": "[".repeat(60_000),
		__proto__: '{"title":"x","__proto__":{"maxGuests":4,"admin":true}}',
		"a constructor": '{"title":"x","constructor":{"prototype":{"admin":true}}}',
		"__proto__ within": '{"title":"x","destinations":[{"__proto__":{"url":"rtmp://127.0.0.1/a/b"}}]}',
		"a number without end": '{"title":"x","frameRate":1e999}',
		"no object": "null",
	};
	for (const [what, body] of Object.entries(bodies)) {
		const response = await post(body);
		expect(response.status, what).toBe(400);
		await problem(response, 400, "invalid-request");
	}
	expect(Object.keys(Object.prototype)).toEqual([]);
	expect(({} as { admin?: unknown }).admin).toBeUndefined();
	// RFC 8259 §4 leaves it open; the last one counts, for the checks as for what is done.
	const twice = await post('{"title":"first","title":"second"}');
	expect([twice.status, (await twice.json<Created>()).title]).toEqual([201, "second"]);
	await problem(await post('{"title":"first","maxGuests":1,"maxGuests":99}'), 400, "invalid-request");
});
