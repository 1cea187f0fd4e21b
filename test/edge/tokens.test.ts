import { sign } from "hono/jwt";
import { expect, test, vi } from "vitest";
import { createApp } from "../../worker/api/app.ts";
import { signRoleToken } from "../../worker/auth/role-token.ts";
import { sha256Hex } from "../../worker/auth/secret.ts";
import { keyIdOf } from "../../worker/auth/signing-key.ts";
import type { Env } from "../../worker/env.ts";
import { call, create, env, problem, roleToken } from "./api-client.ts";

const HOUR_S = 3_600;
const KEY = env.SIGNING_KEY ?? "";
const OLD_KEY = "the-signing-key-from-before-32-bytes";
const NOW_S = Math.floor(Date.now() / 1_000);

interface Claims {
	readonly [name: string]: unknown;
}

function base64Url(text: string): string {
	return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** A token signed as `hash` signs, under whatever header and payload, which may be no JSON at all. */
async function madeToken(header: unknown, payload: string, key = KEY, hash = "SHA-256"): Promise<string> {
	const signed = `${base64Url(JSON.stringify(header))}.${base64Url(payload)}`;
	const parameters = { name: "HMAC", hash };
	const imported = await crypto.subtle.importKey("raw", new TextEncoder().encode(key), parameters, false, ["sign"]);
	const signature = new Uint8Array(await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(signed)));
	return `${signed}.${base64Url(String.fromCharCode(...signature))}`;
}

function ask(path: string, token: string, settings: Partial<Env> = {}): Promise<Response> {
	const request = new Request(`http://tandem.example${path}`, { headers: { Authorization: `Bearer ${token}` } });
	return Promise.resolve(createApp().fetch(request, { ...env, ...settings }));
}

test("a token that was tampered with in any way opens nothing", async () => {
	const { id, tokens } = await create();
	const claims: Claims = { bid: id, role: "host", pid: "host", ver: 1, exp: NOW_S + HOUR_S };
	const text = JSON.stringify(claims);
	const kid = await keyIdOf(KEY);
	const ours = { alg: "HS256", typ: "JWT", kid };
	expect((await ask(`/api/broadcasts/${id}`, await madeToken(ours, text))).status).toBe(200);
	const [header = "", payload = "", signature = ""] = tokens.host.split(".");
	const flipped = (part: string) => `${part.startsWith("A") ? "B" : "A"}${part.slice(1)}`;
	const { publicKey } = (await crypto.subtle.generateKey(
		{ name: "RSASSA-PKCS1-v1_5", modulusLength: 2_048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
		true,
		["sign", "verify"],
	)) as CryptoKeyPair;
	const spki = (await crypto.subtle.exportKey("spki", publicKey)) as ArrayBuffer;
	const pem = `-----BEGIN PUBLIC KEY-----\n${btoa(String.fromCharCode(...new Uint8Array(spki)))}\n-----END PUBLIC KEY-----`;
	const exp = (value: string) => text.replace(String(claims.exp), value);
	const wrong: Record<string, string> = {
		"algorithm none": `${base64Url(JSON.stringify({ alg: "none", typ: "JWT" }))}.${payload}.`,
		"algorithm None with the signature": `${base64Url(JSON.stringify({ alg: "None", kid }))}.${payload}.${signature}`,
		"no algorithm": await madeToken({ typ: "JWT", kid }, text),
		"signature cut off": `${header}.${payload}.`,
		"signature changed": `${header}.${payload}.${flipped(signature)}`,
		"claims changed": `${header}.${flipped(payload)}.${signature}`,
		"header changed": `${flipped(header)}.${payload}.${signature}`,
		"four parts": `${tokens.host}.${signature}`,
		"two parts": `${header}.${payload}`,
		HS512: await madeToken({ ...ours, alg: "HS512" }, text, KEY, "SHA-512"),
		HS384: await madeToken({ ...ours, alg: "HS384" }, text, KEY, "SHA-384"),
		"HS512 that says HS256": await madeToken(ours, text, KEY, "SHA-512"),
		"RS256, signed with our key as HMAC": await madeToken({ ...ours, alg: "RS256" }, text),
		"HS256, signed with a public key": await madeToken(ours, text, pem),
		"a key of the token's own": await madeToken({ ...ours, jwk: { kty: "oct", k: "AA" } }, text, "\u0000"),
		"an unknown kid": await madeToken({ ...ours, kid: "000000000000" }, text),
		"a kid that is no text": await madeToken({ ...ours, kid: { $ne: 1 } }, text),
		"a kid of __proto__": await madeToken({ ...ours, kid: "__proto__" }, text),
		"our kid, another key": await madeToken(ours, text, OLD_KEY),
		"a critical extension": await madeToken({ ...ours, crit: ["exp"] }, text),
		"expired this second": await madeToken(ours, exp(String(NOW_S - 1))),
		"no exp": await madeToken(ours, JSON.stringify({ ...claims, exp: undefined })),
		"exp null": await madeToken(ours, exp("null")),
		"exp a text": await madeToken(ours, exp(`"${claims.exp}"`)),
		"exp NaN": await madeToken(ours, exp("NaN")),
		"exp without end": await madeToken(ours, exp("1e999")),
		"exp a list": await madeToken(ours, exp(`[${claims.exp}]`)),
		"ver of before": await madeToken(ours, JSON.stringify({ ...claims, ver: 2 })),
		"ver zero": await madeToken(ours, JSON.stringify({ ...claims, ver: 0 })),
		"ver a text": await madeToken(ours, JSON.stringify({ ...claims, ver: "1" })),
		"ver a fraction": await madeToken(ours, JSON.stringify({ ...claims, ver: 1.5 })),
		"role admin": await madeToken(ours, JSON.stringify({ ...claims, role: "admin" })),
		"nobody's pid": await madeToken(ours, JSON.stringify({ ...claims, pid: "guest-5" })),
		"claims a list": await madeToken(ours, "[]"),
		"claims null": await madeToken(ours, "null"),
		"claims no JSON": await madeToken(ours, "{"),
		"header no JSON": `${base64Url("{")}.${payload}.${signature}`,
		"not base64": `${header}.***.${signature}`,
		"a huge token": await madeToken(ours, JSON.stringify({ ...claims, padding: "x".repeat(3_000) })),
		"a huge nothing": "x".repeat(10_000),
		dots: "..",
	};
	for (const [what, token] of Object.entries(wrong)) {
		const response = await ask(`/api/broadcasts/${id}`, token);
		expect(response.status, what).toBe(401);
		expect((await problem(response, 401, "unauthorized")).detail, what).not.toContain(token);
	}
});

test("a token opens its own broadcast and does what its role may, and no more", async () => {
	const [one, other] = [await create(), await create()];
	await problem(await ask(`/api/broadcasts/${one.id}`, other.tokens.host), 403, "forbidden");
	await problem(await call("POST", `/api/broadcasts/${one.id}/start`, { token: one.tokens.guest }), 403, "forbidden");
	await problem(await ask(`/api/broadcasts/${one.id}`, one.tokens.viewer), 403, "forbidden");
	await problem(await ask("/api/broadcasts", one.tokens.host), 403, "forbidden");
});

test("a signing key is replaced without a gap, and ends when it is taken away", async () => {
	const { id } = await create();
	const path = `/api/broadcasts/${id}`;
	const old = await roleToken(id, "host", { signingKey: OLD_KEY });
	const unnamed = await sign({ bid: id, role: "host", exp: NOW_S + HOUR_S }, OLD_KEY, "HS256");
	const current = await roleToken(id, "host");
	expect(JSON.parse(atob(current.split(".")[0] ?? ""))).toEqual({ alg: "HS256", typ: "JWT", kid: await keyIdOf(KEY) });
	for (const [token, before, during] of [
		[old, 401, 200],
		[unnamed, 401, 200],
		[current, 200, 200],
	] as const) {
		expect((await ask(path, token)).status).toBe(before);
		expect((await ask(path, token, { SIGNING_KEY_PREVIOUS: OLD_KEY })).status).toBe(during);
		expect((await ask(path, token, { SIGNING_KEY_PREVIOUS: "too-short" })).status).toBe(before);
	}
	// The previous key alone signs nothing, and so opens nothing.
	await problem(await ask(path, old, { SIGNING_KEY: "", SIGNING_KEY_PREVIOUS: OLD_KEY }), 503, "not-configured");
	const swapped = await signRoleToken({ bid: id, role: "host", exp: NOW_S + HOUR_S }, OLD_KEY);
	expect((await ask(path, swapped, { SIGNING_KEY: OLD_KEY, SIGNING_KEY_PREVIOUS: KEY })).status).toBe(200);
});

test("an admin's token is known by its hash, also one of several, and by nothing else", async () => {
	const hashes = await Promise.all(["anna's token", "bert's token"].map(sha256Hex));
	const [anna = "", bert = ""] = hashes;
	const list = (token: string, settings: Partial<Env>) =>
		ask("/api/broadcasts", token, { ADMIN_TOKEN: "", ...settings });
	const token = (name: string) => `${name}'s token`.replace(" ", "-");
	const both = { ADMIN_TOKEN_SHA256: `${await sha256Hex(token("anna"))}, ${await sha256Hex(token("bert"))}` };
	expect((await list(token("anna"), both)).status).toBe(200);
	expect((await list(token("bert"), both)).status).toBe(200);
	await problem(await list(token("carl"), both), 401, "unauthorized");
	await problem(await list("test-admin-token", both), 401, "unauthorized");
	// Who has read the list has not the tokens.
	await problem(await list(await sha256Hex(token("anna")), both), 401, "unauthorized");
	expect((await ask("/api/broadcasts", "test-admin-token", both)).status).toBe(200);
	for (const nonsense of ["plain-token", anna.toUpperCase(), `${anna},`, `${anna};${bert}`, anna.slice(1)]) {
		const refused = await problem(
			await list("test-admin-token", { ADMIN_TOKEN_SHA256: nonsense, ADMIN_TOKEN: "test-admin-token" }),
			503,
			"not-configured",
		);
		expect(refused.detail).toContain("ADMIN_TOKEN_SHA256");
		expect(refused.detail).not.toContain(nonsense);
	}
	await problem(await list("", {}), 503, "not-configured");
	await problem(await list("anything", { ADMIN_TOKEN_SHA256: "" }), 503, "not-configured");
});

test("a runner's token is replaced without a gap", async () => {
	const connect = async (token: string, settings: Partial<Env>) => {
		const headers = { Authorization: `Bearer ${token}`, Upgrade: "websocket" };
		const request = new Request("http://tandem.example/api/runners/connect", { headers });
		const response = await createApp().fetch(request, { ...env, ...settings });
		response.webSocket?.accept();
		response.webSocket?.close(1000);
		return response.status;
	};
	const during = { RUNNER_TOKEN: "new-token", RUNNER_TOKEN_PREVIOUS: "test-runner-token" };
	expect(await connect("new-token", during)).toBe(101);
	expect(await connect("test-runner-token", during)).toBe(101);
	expect(await connect("test-runner-token", { RUNNER_TOKEN: "new-token" })).toBe(401);
	expect(await connect("new-token, test-runner-token", during)).toBe(401);
	const lines = vi.spyOn(console, "warn").mockReturnValue();
	expect(await connect("test-runner-token", { RUNNER_TOKEN: "", RUNNER_TOKEN_PREVIOUS: "test-runner-token" })).toBe(
		503,
	);
	lines.mockRestore();
});
