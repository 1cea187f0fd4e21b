import { expect, test } from "vitest";
import { createApp } from "../../worker/api/app.ts";
import type { Env } from "../../worker/env.ts";
import { CLOSE } from "../../worker/protocol/close-codes.ts";
import { call, create, env, JsonSocket, openSocket, problem, roleToken } from "./api-client.ts";

function base64Url(value: unknown): string {
	return btoa(JSON.stringify(value)).replaceAll("=", "");
}

test("refuses a request without a token, and says which kind it wants", async () => {
	const response = await call("GET", "/api/broadcasts", { token: undefined });
	expect(response.headers.get("WWW-Authenticate")).toBe("Bearer");
	await problem(response, 401, "unauthorized");
});

test("refuses tokens that are wrong in any way", async () => {
	const { id, tokens } = await create();
	const claims = { bid: id, role: "host", exp: Math.floor(Date.now() / 1_000) + 3_600 };
	const [header = "", payload = ""] = tokens.host.split(".");
	const wrong = {
		"not a token": "nonsense",
		"nearly the admin token": "test-admin-tokem",
		"signed with another key": await roleToken(id, "host", { signingKey: "another-key-that-is-also-long-enough" }),
		expired: await roleToken(id, "host", { expiresInS: -1 }),
		"algorithm none": `${base64Url({ alg: "none", typ: "JWT" })}.${base64Url(claims)}.`,
		"algorithm none with the old signature": `${base64Url({ alg: "none", typ: "JWT" })}.${payload}.${tokens.host.split(".")[2]}`,
		unsigned: `${header}.${payload}.`,
		"changed claims": `${header}.${base64Url({ ...claims, role: "compositor" })}.${tokens.host.split(".")[2]}`,
		"a stream key nobody gave out": `${id}-host-${"0".repeat(24)}`,
		"a stream key of no broadcast": `${"0".repeat(16)}-host-${"0".repeat(24)}`,
	};
	for (const [what, token] of Object.entries(wrong)) {
		const response = await call("GET", `/api/broadcasts/${id}`, { token });
		const { detail } = await problem(response, 401, "unauthorized");
		expect(detail, what).not.toContain(token);
	}
	expect((await call("GET", `/api/broadcasts/${id}`, { token: tokens.host })).status).toBe(200);
});

test("an expired token is told apart from a forged one", async () => {
	const { id } = await create();
	const expired = await call("GET", `/api/broadcasts/${id}`, {
		token: await roleToken(id, "host", { expiresInS: -1 }),
	});
	expect((await problem(expired, 401, "unauthorized")).detail).toContain("expired");
});

test("refuses a token of another broadcast", async () => {
	const [one, other] = [await create(), await create()];
	for (const token of [other.tokens.host, other.ingest.host.rtmp.streamKey]) {
		await problem(await call("POST", `/api/broadcasts/${one.id}/start`, { token }), 403, "forbidden");
	}
	expect(await (await call("GET", `/api/broadcasts/${one.id}`)).json()).toMatchObject({ status: "lobby" });
});

test("gives each role what it may do and no more", async () => {
	const { id, tokens, ingest } = await create();
	const compositor = await roleToken(id, "compositor", { fence: 1 });
	const asked = {
		admin: "test-admin-token",
		...tokens,
		compositor,
		hostKey: ingest.host.rtmp.streamKey,
		guestKey: ingest.guest.rtmp.streamKey,
	};
	const routes: Record<string, { request: [string, string, unknown?]; allowed: string[] }> = {
		list: { request: ["GET", "/api/broadcasts"], allowed: ["admin"] },
		create: { request: ["POST", "/api/broadcasts", { title: "x" }], allowed: ["admin"] },
		get: { request: ["GET", `/api/broadcasts/${id}`], allowed: ["admin", "host", "guest", "hostKey", "guestKey"] },
		stats: {
			request: ["GET", `/api/broadcasts/${id}/stats`],
			allowed: ["admin", "host", "guest", "hostKey", "guestKey"],
		},
		layout: {
			request: ["PUT", `/api/broadcasts/${id}/layout`, { layout: "pip" }],
			allowed: ["admin", "host", "hostKey"],
		},
		destinations: { request: ["GET", `/api/broadcasts/${id}/destinations`], allowed: ["admin", "host", "hostKey"] },
		end: { request: ["POST", `/api/broadcasts/${id}/end`], allowed: ["admin", "host", "hostKey"] },
		start: { request: ["POST", `/api/broadcasts/${id}/start`], allowed: ["admin", "host", "hostKey"] },
		delete: { request: ["DELETE", `/api/broadcasts/${id}`], allowed: ["admin"] },
	};
	for (const [name, { request, allowed }] of Object.entries(routes)) {
		const [method, path, body] = request;
		for (const [who, token] of Object.entries(asked)) {
			if (allowed.includes(who)) {
				continue;
			}
			const response = await call(method, path, { token, ...(body === undefined ? {} : { body }) });
			expect(response.status, `${who} on ${name}`).toBe(403);
			await problem(response, 403, "forbidden");
		}
	}
	for (const [name, { request, allowed }] of Object.entries(routes)) {
		const [method, path, body] = request;
		for (const who of allowed.filter((who) => who !== "admin" || name !== "delete")) {
			const token = asked[who as keyof typeof asked];
			const response = await call(method, path, { token, ...(body === undefined ? {} : { body }) });
			expect(response.status, `${who} on ${name}`).not.toBe(403);
		}
	}
});

test("checks who asks before it looks at what is asked", async () => {
	await problem(await call("POST", "/api/broadcasts", { token: undefined, body: "{not json" }), 401, "unauthorized");
});

test("lets nobody in while a secret is not set", async () => {
	const missing: [keyof Env, string, string][] = [
		["ADMIN_TOKEN", "/api/broadcasts", "ADMIN_TOKEN"],
		["SIGNING_KEY", "/api/broadcasts", "SIGNING_KEY"],
		["RUNNER_TOKEN", "/api/runners/connect", "RUNNER_TOKEN"],
	];
	for (const [setting, path, named] of missing) {
		for (const value of ["", undefined, ...(setting === "SIGNING_KEY" ? ["too-short"] : [])]) {
			const request = new Request(`http://tandem.example${path}`, {
				headers: { Authorization: "Bearer ", Upgrade: "websocket" },
			});
			const response = await createApp().fetch(request, { ...env, [setting]: value });
			expect((await problem(response, 503, "not-configured")).detail).toContain(named);
		}
	}
});

test("takes a socket's token as bearer or as subprotocol, and names the subprotocol it takes", async () => {
	const { id, tokens } = await create();
	const byHeader = await openSocket(`/api/broadcasts/${id}/control`, { token: tokens.host });
	expect(byHeader.protocol).toBeNull();
	await byHeader.take("status");
	const bySubprotocol = await openSocket(`/api/broadcasts/${id}/control`, {
		token: undefined,
		subprotocols: ["tandem", `bearer.${tokens.guest}`],
	});
	expect(bySubprotocol.protocol).toBe("tandem");
	await bySubprotocol.take("status");
});

test("takes a token in the address only to subscribe", async () => {
	const { id, tokens, ingest } = await create();
	const media = (stream: string, direction: string, token: string) =>
		openSocket(`/api/broadcasts/${id}/media/${stream}?direction=${direction}&token=${token}`, { token: undefined });
	const viewer = await media("program/main", "subscribe", tokens.viewer);
	const refused = await media("host", "publish", ingest.host.rtmp.streamKey);
	expect((await refused.closing()).code).toBe(CLOSE.unauthorized.code);
	const control = await openSocket(`/api/broadcasts/${id}/control?token=${tokens.host}`, { token: undefined });
	expect((await control.closing()).code).toBe(CLOSE.unauthorized.code);
	expect(viewer.closed).toBeUndefined();
});

test("refuses a socket by problem document where the client can read one, by close code where it cannot", async () => {
	const { id, tokens } = await create();
	const path = `/api/broadcasts/${id}/media/host?direction=publish`;
	const headers = { Upgrade: "websocket" };
	await problem(await call("GET", path, { token: tokens.guest, headers }), 403, "forbidden");
	const asBrowser = await openSocket(path, { token: undefined, subprotocols: ["tandem", `bearer.${tokens.guest}`] });
	expect(asBrowser.protocol).toBe("tandem");
	const closing = await asBrowser.closing();
	expect(closing.code).toBe(CLOSE.forbidden.code);
	expect(closing.reason).toMatch(/expected admin or host, got guest/);
	await problem(await call("GET", path, { token: tokens.host }), 426, "upgrade-required");
});

test("gives each role its streams", async () => {
	const { id, tokens, ingest } = await create();
	const asked = {
		admin: "test-admin-token",
		...tokens,
		hostKey: ingest.host.rtmp.streamKey,
		guestKey: ingest.guest.rtmp.streamKey,
	};
	const allowed: Record<string, string[]> = {
		"host publish": ["admin", "host", "hostKey"],
		"guest publish": ["admin", "guest", "guestKey"],
		"composite/main publish": [],
		"program/main publish": [],
		"host subscribe": ["admin", "host", "guest", "hostKey", "guestKey"],
		"guest subscribe": ["admin", "host", "guest", "hostKey", "guestKey"],
		"composite/main subscribe": ["admin", "host", "guest", "hostKey", "guestKey"],
		"program/main subscribe": ["admin", "host", "guest", "viewer", "hostKey", "guestKey"],
		"program%2Fmain subscribe": ["admin", "host", "guest", "viewer", "hostKey", "guestKey"],
	};
	for (const [what, who] of Object.entries(allowed)) {
		const [stream, direction] = what.split(" ");
		const path = `/api/broadcasts/${id}/media/${stream}?direction=${direction}`;
		for (const [name, token] of Object.entries(asked)) {
			const response = await call("GET", path, { token, headers: { Upgrade: "websocket" } });
			expect(response.status, `${name} ${what}`).toBe(who.includes(name) ? 101 : 403);
			if (response.webSocket !== null) {
				new JsonSocket(response).socket.close(1000);
			}
		}
	}
});

test("a compositor publishes the composite, and nobody the program", async () => {
	const { id } = await create();
	const publish = (stream: string, token: string | undefined) =>
		call("GET", `/api/broadcasts/${id}/media/${stream}?direction=publish`, {
			token,
			headers: { Upgrade: "websocket", Authorization: `Bearer ${token}` },
		});
	const compositor = await roleToken(id, "compositor", { fence: 1 });
	// Whether its lease is still the newest is asked after its role.
	await problem(await publish("composite/main", compositor), 409, "taken-over");
	for (const token of [compositor, "test-admin-token", await roleToken(id, "host")]) {
		const refused = await problem(await publish("program/main", token), 403, "forbidden");
		expect(refused.detail).toBe(
			"media: expected host, guest, guest-2, guest-3, guest-4, composite/main to publish, got program/main, which is made of them",
		);
	}
	await problem(await publish("program/main", "nonsense"), 401, "unauthorized");
});

test("the runner socket takes the runners' token and no other", async () => {
	const headers = { Upgrade: "websocket" };
	for (const token of ["test-admin-token", "nonsense", undefined]) {
		const response = await call("GET", "/api/runners/connect", {
			token,
			headers: { ...headers, Authorization: `Bearer ${token}` },
		});
		await problem(response, 401, "unauthorized");
	}
	const runner = await openSocket("/api/runners/connect", { token: "test-runner-token" });
	runner.socket.close(1000);
});
