import { expect, test } from "vitest";
import { BROADCAST_ID_PATTERN, newBroadcastId } from "../../../worker/auth/random-id.ts";
import { RoleTokenError, signRoleToken, verifyRoleToken } from "../../../worker/auth/role-token.ts";
import { isHashOneOf, isOneOf, readHashes, sha256Hex } from "../../../worker/auth/secret.ts";
import { hashStreamKey, newStreamKey, parseStreamKey } from "../../../worker/auth/stream-key.ts";

const KEY = "a-signing-key-that-is-long-enough";
const NOW_S = 1_000_000;

test("a role token carries its claims until it expires", async () => {
	const claims = { bid: "b", role: "compositor", fence: 3, exp: NOW_S + 10 } as const;
	const token = await signRoleToken(claims, KEY);
	expect(await verifyRoleToken(token, [KEY], NOW_S)).toEqual(claims);
	await expect(verifyRoleToken(token, [KEY], NOW_S + 10)).rejects.toThrow("expired");
});

test("no error of a bad token quotes it", async () => {
	const token = await signRoleToken({ bid: "b", role: "host", exp: NOW_S + 10 }, KEY);
	const bad = [
		`${token}x`,
		token.slice(0, -4),
		"a.b.c",
		"",
		".",
		"x".repeat(3_000),
		await signRoleToken({ bid: "b", role: "host", exp: NOW_S }, "another"),
	];
	for (const text of bad) {
		const error = await verifyRoleToken(text, [KEY], NOW_S).catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(RoleTokenError);
		if (text.length > 1) {
			expect(String(error)).not.toContain(text);
		}
	}
});

test("a signed token with claims of another kind is refused", async () => {
	const odd = { bid: "b", role: "admin", exp: NOW_S + 10 } as unknown as Parameters<typeof signRoleToken>[0];
	await expect(verifyRoleToken(await signRoleToken(odd, KEY), [KEY], NOW_S)).rejects.toThrow("other claims");
});

test("a stream key names its broadcast and person, and nothing else is a stream key", async () => {
	const id = newBroadcastId();
	expect(id).toMatch(BROADCAST_ID_PATTERN);
	const key = newStreamKey(id, "guest");
	expect(parseStreamKey(key)).toEqual({ broadcastId: id, person: "guest" });
	for (const text of [`${key}x`, key.slice(1), key.replace("guest", "viewer"), key.toUpperCase(), ` ${key}`, ""]) {
		expect(parseStreamKey(text)).toBeUndefined();
	}
	expect(await hashStreamKey(key)).toMatch(/^[0-9a-f]{64}$/);
	expect(await hashStreamKey(key)).not.toBe(await hashStreamKey(newStreamKey(id, "guest")));
});

test("ids do not repeat", () => {
	const ids = Array.from({ length: 1_000 }, newBroadcastId);
	expect(new Set(ids).size).toBe(ids.length);
});

test("a secret matches when it is one of several, wherever it stands", async () => {
	expect(await isOneOf("secret", ["secret"])).toBe(true);
	expect(await isOneOf("secret", ["other", "secret", "third"])).toBe(true);
	expect(await isOneOf("secret", ["secret", "secret"])).toBe(true);
	expect(await isOneOf("secret", [])).toBe(false);
	for (const other of ["Secret", "secre", "secrets", "", "tercse"]) {
		expect(await isOneOf(other, ["secret", "another"])).toBe(false);
	}
});

test("a list of hashes is read as a whole or not at all", async () => {
	const [one, other] = [await sha256Hex("one"), await sha256Hex("other")];
	expect(readHashes(`${one}, ${other}`)).toEqual([one, other]);
	expect(isHashOneOf(await sha256Hex("other"), readHashes(`${one},${other}`) ?? [])).toBe(true);
	for (const nonsense of [
		"",
		",",
		`${one},`,
		one.toUpperCase(),
		`${one}0`,
		one.slice(1),
		`${one},plain-token`,
		`${one};${other}`,
	]) {
		expect(readHashes(nonsense), nonsense).toBeUndefined();
	}
	expect(readHashes(Array(101).fill(one).join())).toBeUndefined();
});

test("a signing key that looks like PEM signs all the same", async () => {
	const key = "a-PRIVATE-and-PUBLIC-key-of-enough-bytes";
	const token = await signRoleToken({ bid: "b", role: "host", exp: NOW_S + 10 }, key);
	expect(await verifyRoleToken(token, [KEY, key], NOW_S)).toMatchObject({ role: "host" });
});
