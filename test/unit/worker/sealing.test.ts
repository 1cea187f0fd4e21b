import { expect, test } from "vitest";
import { fingerprint, SealingError, seal, sealingKeyOf, unseal } from "../../../worker/auth/sealing.ts";

const key = (fill: number, length = 32) => Buffer.alloc(length, fill).toString("base64");
const ENV = { ENCRYPTION_KEY: key(1) };
const TEXT = JSON.stringify({ url: "rtmps://live.example/app", streamKey: "ключ-key?s=1" });
const USE = "destination:b-1";

async function refusalOf(work: Promise<string>): Promise<string> {
	const error = await work.then(
		() => undefined,
		(error: unknown) => error,
	);
	expect(error).toBeInstanceOf(SealingError);
	return (error as SealingError).message;
}

test("opens what was sealed for the same use, and seals no text alike twice", async () => {
	const [a, b] = [await seal(TEXT, ENV, USE), await seal(TEXT, ENV, USE)];
	expect(a).toMatch(/^v1\.[\w-]{8}\.[\w-]{16}\.[\w-]+$/);
	expect(a).not.toBe(b);
	expect(a).not.toContain("key");
	expect(await unseal(a, ENV, USE)).toBe(TEXT);
	expect(await unseal(await seal("", ENV, USE), ENV, USE)).toBe("");
});

test("opens for no other use", async () => {
	expect(await refusalOf(unseal(await seal(TEXT, ENV, USE), ENV, "destination:b-2"))).toMatch(/for this use/);
});

test("opens nothing that was changed, at any character", async () => {
	const sealed = await seal(TEXT, ENV, USE);
	for (let at = 0; at < sealed.length; at++) {
		const changed = `${sealed.slice(0, at)}${sealed[at] === "A" ? "B" : "A"}${sealed.slice(at + 1)}`;
		expect(await refusalOf(unseal(changed, ENV, USE)), `character ${at}`).not.toContain("live.example");
		expect(await refusalOf(unseal(sealed.slice(0, at), ENV, USE))).toMatch(/^sealing: expected/);
	}
});

test("opens with the previous key, which seals nothing any more", async () => {
	const old = await seal(TEXT, ENV, USE);
	const rotated = { ENCRYPTION_KEY: key(2), ENCRYPTION_KEY_PREVIOUS: key(1) };
	expect(await unseal(old, rotated, USE)).toBe(TEXT);
	expect((await seal(TEXT, rotated, USE)).split(".")[1]).not.toBe(old.split(".")[1]);
	expect(await refusalOf(unseal(old, { ENCRYPTION_KEY: key(2) }, USE))).toMatch(/another key/);
});

test.each([undefined, "", key(1, 31), "not base64!", `${key(1)}=====`, "A".repeat(45)])(
	"takes %j for no key, and neither seals nor fingerprints without one",
	async (ENCRYPTION_KEY) => {
		const env = ENCRYPTION_KEY === undefined ? {} : { ENCRYPTION_KEY };
		expect(sealingKeyOf(env)).toBeUndefined();
		expect(await refusalOf(seal(TEXT, env, USE))).toMatch(/ENCRYPTION_KEY/);
		expect(await refusalOf(fingerprint(TEXT, env))).toMatch(/ENCRYPTION_KEY/);
	},
);

test("takes a key in either alphabet of base64, with or without padding", () => {
	const bytes = Buffer.alloc(32, 0xfb);
	for (const text of [bytes.toString("base64"), bytes.toString("base64url")]) {
		expect(sealingKeyOf({ ENCRYPTION_KEY: text })).toEqual(new Uint8Array(bytes));
	}
});

test("gives one fingerprint to one text under one key", async () => {
	const print = await fingerprint(TEXT, ENV);
	expect(print).toMatch(/^[0-9a-f]{64}$/);
	expect(await fingerprint(TEXT, ENV)).toBe(print);
	expect(await fingerprint(`${TEXT} `, ENV)).not.toBe(print);
	expect(await fingerprint(TEXT, { ENCRYPTION_KEY: key(2) })).not.toBe(print);
});
