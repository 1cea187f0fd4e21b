import { env as bindings, runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { createApp } from "../../worker/api/app.ts";
import type { Env } from "../../worker/env.ts";
import type { RepeatableRequest } from "../../worker/protocol/idempotency.ts";
import { type Created, call, create, env, problem, roleToken } from "./api-client.ts";
import { advanceClock, freezeClock } from "./frozen-clock.ts";
import { type OpenApi, operationsOf } from "./openapi-requests.ts";
import { replaceObject } from "./replace-object.ts";

freezeClock();

const HOUR_MS = 3_600_000;
const INVITE = { maxUses: 1 };

function objectOf(id: string): DurableObjectStub {
	return (bindings as unknown as Env).BROADCAST.getByName(id) as unknown as DurableObjectStub;
}

function named(key: string, path: string, options: Parameters<typeof call>[2] = {}): Promise<Response> {
	return call("POST", path, { ...options, headers: { ...options.headers, "Idempotency-Key": key } });
}

function createNamed(key: string, body: unknown = { title: "Named" }): Promise<Response> {
	return named(key, "/api/broadcasts", { body });
}

/** Sends it again while it is being answered. */
async function answered(send: () => Promise<Response>): Promise<Response> {
	for (;;) {
		const response = await send();
		if (response.status !== 409) {
			return response;
		}
		await response.arrayBuffer();
		await scheduler.wait(5);
	}
}

async function invitesOf(id: string): Promise<unknown[]> {
	return (await (await call("GET", `/api/broadcasts/${id}/invites`)).json<{ invites: unknown[] }>()).invites;
}

async function storedText(id: string): Promise<string> {
	return runInDurableObject(objectOf(id), (_object, state) =>
		JSON.stringify(state.storage.sql.exec("SELECT * FROM remembered_requests").toArray()),
	);
}

test("the same request again gets the same answer byte for byte, and nothing is done twice", async () => {
	const { id } = await create();
	const path = `/api/broadcasts/${id}/invites`;
	const first = await named("k", path, { body: INVITE });
	const again = await named("k", path, { body: INVITE });
	expect([first.status, again.status]).toEqual([201, 201]);
	expect([first.headers.get("Idempotency-Replayed"), again.headers.get("Idempotency-Replayed")]).toEqual([
		null,
		"true",
	]);
	for (const header of ["ETag", "Content-Type", "Cache-Control"]) {
		expect(again.headers.get(header), header).toBe(first.headers.get(header));
	}
	expect(first.headers.get("ETag")).toMatch(/^"\d+"$/);
	expect(again.headers.get("X-Request-Id")).not.toBe(first.headers.get("X-Request-Id"));
	expect(await again.text()).toBe(await first.text());
	expect(await invitesOf(id)).toHaveLength(1);
	await named("other", path, { body: INVITE });
	expect(await invitesOf(id)).toHaveLength(2);
});

test("a refusal is repeated as well, whatever has changed since, until it is forgotten after a day", async () => {
	const { id } = await create();
	const path = `/api/broadcasts/${id}/people/guest/admit`;
	await call("POST", `/api/broadcasts/${id}/end`);
	const first = await named("k", path);
	expect(first.status).toBe(410);
	const again = await named("k", path);
	expect(again.headers.get("Idempotency-Replayed")).toBe("true");
	expect(await again.text()).toBe(await first.text());
	advanceClock(24 * HOUR_MS);
	expect((await named("k", path)).headers.get("Idempotency-Replayed")).toBeNull();
});

test("the same key with another request is refused", async () => {
	const { id } = await create();
	const path = `/api/broadcasts/${id}/invites`;
	await named("k", path, { body: INVITE });
	for (const other of [
		() => named("k", path, { body: { maxUses: 2 } }),
		() => named("k", path, { body: JSON.stringify(INVITE, undefined, 1) }),
		() => named("k", path, { body: INVITE, headers: { "If-Match": '"1"' } }),
		() => named("k", `${path}?x=1`, { body: INVITE }),
	]) {
		await problem(await other(), 422, "idempotency-mismatch");
	}
	expect(await invitesOf(id)).toHaveLength(1);
});

test("a key is its user's own, and its path's", async () => {
	const { id, tokens } = await create();
	const path = `/api/broadcasts/${id}/invites`;
	await named("k", path, { body: INVITE });
	const others = [
		await named("k", path, { body: INVITE, token: tokens.host }),
		await named("k", `/api/broadcasts/${(await create()).id}/invites`, { body: INVITE }),
	];
	expect(others.map(({ headers }) => headers.get("Idempotency-Replayed"))).toEqual([null, null]);
	expect(await invitesOf(id)).toHaveLength(2);
});

test("who is not let in leaves no trace, and cannot read another's answer", async () => {
	const { id, tokens } = await create();
	const path = `/api/broadcasts/${id}/invites`;
	for (const token of [undefined, "nonsense", tokens.guest, await roleToken(id, "host", { expiresInS: -1 })]) {
		expect([401, 403]).toContain((await named("k", path, { body: INVITE, token })).status);
	}
	const join = () => named("k", `/api/broadcasts/${id}/join`, { token: `${id}-invite-${"0".repeat(24)}`, body: {} });
	await problem(await join(), 401, "unauthorized");
	await problem(await join(), 401, "unauthorized");
	expect(await storedText(id)).toBe("[]");
});

test("takes keys of 1 to 255 printable characters, and asks for no sealing key without one", async () => {
	const { id } = await create();
	const path = `/api/broadcasts/${id}/start`;
	for (const key of ["x".repeat(256), "a\tb"]) {
		await problem(await named(key, path), 400, "invalid-request");
	}
	expect((await named("x".repeat(255), path)).status).toBe(200);
	const request = (headers: Record<string, string>) =>
		createApp().fetch(
			new Request(`http://tandem.example${path}`, {
				method: "POST",
				headers: { Authorization: "Bearer test-admin-token", ...headers },
			}),
			{ ...env, ENCRYPTION_KEY: "" },
		);
	await problem(await request({ "Idempotency-Key": "k" }), 503, "not-configured");
	expect((await request({})).status).toBe(200);
});

test("what is kept is sealed", async () => {
	const response = await createNamed("sealed");
	const { id, tokens, ingest } = await response.json<Created>();
	const stored = await storedText(id);
	for (const secret of [tokens.host, ingest.host.rtmp.streamKey, "Named", "sealed"]) {
		expect(stored.replaceAll("sealed_answer", "")).not.toContain(secret);
	}
	expect(stored).toContain('"sealed_answer":"v1.');
});

test("two requests at once are carried out once: one waits and gets the other's answer", async () => {
	const { id } = await create();
	const path = `/api/broadcasts/${id}/invites`;
	const send = () => named("k", path, { body: INVITE });
	const raced = await Promise.all(Array.from({ length: 8 }, send));
	const running = raced.filter(({ status }) => status === 409);
	for (const response of running) {
		expect(response.headers.get("Retry-After")).toMatch(/^[1-9]\d*$/);
		await problem(response, 409, "idempotency-in-progress");
	}
	const texts = await Promise.all(
		Array.from({ length: 4 }, async () => {
			const response = await answered(send);
			expect(response.status).toBe(201);
			return response.text();
		}),
	);
	expect(new Set(texts).size).toBe(1);
	expect(await invitesOf(id)).toHaveLength(1);
});

test("two creations at once make one broadcast, and both get the same tokens and keys", async () => {
	const send = () => createNamed("at once");
	const bodies = await Promise.all(Array.from({ length: 6 }, async () => (await answered(send)).text()));
	expect(new Set(bodies).size).toBe(1);
	const { id, tokens } = JSON.parse(bodies[0] ?? "") as Created;
	expect((await send()).headers.get("Location")).toBe(`/api/broadcasts/${id}`);
	expect((await call("GET", `/api/broadcasts/${id}`, { token: tokens.host })).status).toBe(200);
	await problem(await createNamed("at once", { title: "Another" }), 422, "idempotency-mismatch");
	const other = await (await createNamed("another")).json<Created>();
	expect(other.id).not.toBe(id);
});

test("a creation whose answer was lost is made again as it was, and not a second time", async () => {
	const send = () => createNamed("lost");
	const first = await (await send()).json<Created>();
	// As a Worker leaves it that dies between the creation and its answer.
	await runInDurableObject(objectOf(first.id), (_object, state) => {
		state.storage.sql.exec("UPDATE remembered_requests SET sealed_answer = NULL").toArray();
	});
	await problem(await send(), 409, "idempotency-in-progress");
	advanceClock(60_000);
	await problem(await createNamed("lost", { title: "Another" }), 422, "idempotency-mismatch");
	const again = await send();
	expect([again.status, again.headers.get("Idempotency-Replayed")]).toEqual([201, null]);
	const second = await again.json<Created>();
	expect([second.id, second.ingest]).toEqual([first.id, first.ingest]);
	expect((await call("GET", `/api/broadcasts/${first.id}`, { token: second.tokens.host })).status).toBe(200);
});

test("after a day a key creates another broadcast, and never one that was deleted", async () => {
	const send = () => createNamed("daily");
	const first = await (await send()).json<Created>();
	expect((await call("DELETE", `/api/broadcasts/${first.id}`)).status).toBe(204);
	await replaceObject(objectOf(first.id));
	const replayed = await send();
	expect([replayed.headers.get("Idempotency-Replayed"), (await replayed.json<Created>()).id]).toEqual([
		"true",
		first.id,
	]);
	await problem(await call("GET", `/api/broadcasts/${first.id}`), 404, "not-found");
	advanceClock(24 * HOUR_MS);
	const second = await (await send()).json<Created>();
	expect(second.id).not.toBe(first.id);
	await problem(await call("GET", `/api/broadcasts/${first.id}`, { token: first.tokens.host }), 404, "not-found");
	expect((await (await send()).json<Created>()).id).toBe(second.id);
});

test("outlives the object, before the answer and after", async () => {
	const { id } = await create();
	const path = `/api/broadcasts/${id}/invites`;
	const first = await named("k", path, { body: INVITE });
	await replaceObject(objectOf(id));
	expect(await (await named("k", path, { body: INVITE })).text()).toBe(await first.text());
	expect(await invitesOf(id)).toHaveLength(1);
	await runInDurableObject(objectOf(id), (_object, state) => {
		state.storage.sql.exec("UPDATE remembered_requests SET sealed_answer = NULL").toArray();
	});
	await replaceObject(objectOf(id));
	await problem(await named("k", path, { body: INVITE }), 409, "idempotency-in-progress");
	advanceClock(60_000);
	expect((await named("k", path, { body: INVITE })).status).toBe(201);
	expect(await invitesOf(id)).toHaveLength(2);
});

test("an answer of 500 and more is not kept", async () => {
	const { id } = await create();
	const failing = {
		...env,
		BROADCAST: {
			getByName: (name: string) => {
				const stub = env.BROADCAST.getByName(name);
				return {
					beginRequest: (request: RepeatableRequest) => stub.beginRequest(request),
					finishRequest: (request: RepeatableRequest, answer?: string) => stub.finishRequest(request, answer),
					command: () => Promise.reject(new Error("test: broken")),
				};
			},
		},
	};
	const request = () =>
		new Request(`http://tandem.example/api/broadcasts/${id}/start`, {
			method: "POST",
			headers: { Authorization: "Bearer test-admin-token", "Idempotency-Key": "k" },
		});
	const errors = vi.spyOn(console, "error").mockReturnValue();
	const failed = await createApp().fetch(request(), failing);
	errors.mockRestore();
	expect(failed.status).toBe(500);
	expect(await storedText(id)).toBe("[]");
	const succeeded = await createApp().fetch(request(), env);
	expect([succeeded.status, succeeded.headers.get("Idempotency-Replayed")]).toEqual([200, null]);
});

test("remembers 200 answers of a broadcast, and forgets the oldest first", async () => {
	const { id } = await create();
	const path = `/api/broadcasts/${id}/start`;
	for (let index = 0; index <= 200; index++) {
		advanceClock(1);
		expect((await named(`k${index}`, path)).status).toBe(200);
	}
	const rows = JSON.parse(await storedText(id)) as unknown[];
	expect(rows).toHaveLength(200);
	expect((await named("k200", path)).headers.get("Idempotency-Replayed")).toBe("true");
	expect((await named("k0", path)).headers.get("Idempotency-Replayed")).toBeNull();
});

test("a broadcast that does not exist remembers nothing", async () => {
	const id = "0".repeat(16);
	await problem(await named("k", `/api/broadcasts/${id}/start`), 404, "not-found");
	const tables = await runInDurableObject(objectOf(id), (_object, state) =>
		state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'remembered_requests'").toArray(),
	);
	expect(tables).toEqual([]);
});

test("an invite is redeemed once by a guest who asks twice", async () => {
	const { id } = await create();
	const { code } = await (await call("POST", `/api/broadcasts/${id}/invites`, { body: INVITE })).json<{
		code: string;
	}>();
	const join = () => named("k", `/api/broadcasts/${id}/join`, { token: code, body: { name: "Ada" } });
	const first = await join();
	expect(first.status).toBe(200);
	expect(await (await join()).text()).toBe(await first.text());
	await problem(await call("POST", `/api/broadcasts/${id}/join`, { token: code, body: {} }), 410, "invite-expired");
});

/** Done twice it is as done once, by itself: the same contact has the same id, and of one person's two encoders the newer is heard. */
const NOT_NAMED = ["POST /api/broadcasts/{id}/public/reminders", "POST /api/whip", "POST /api/whip/{streamKey}"];

test("every POST that changes something can be named, as the document says", async () => {
	const { id } = await create({ maxGuests: 2 });
	const document = await (await call("GET", "/api/openapi.json")).json<OpenApi>();
	const posts = operationsOf(document).filter(({ method }) => method === "POST");
	expect(posts.length).toBeGreaterThan(8);
	for (const { method, path, operation } of posts) {
		const described = (operation.parameters ?? []).some(({ name }) => name === "Idempotency-Key");
		expect(described, path).toBe(!NOT_NAMED.includes(`${method} ${path}`));
		if (described) {
			// Whoever reads the header says so before anything else is looked at.
			const filled = path
				.replace("{id}", id)
				.replace("{personId}", "guest-2")
				.replaceAll(/\{\w+\}/g, "nothing");
			expect((await problem(await named("x".repeat(256), filled), 400, "invalid-request")).detail, path).toContain(
				"Idempotency-Key",
			);
		}
	}
});
