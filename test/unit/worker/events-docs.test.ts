import { createHmac, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { webhookSignature } from "../../../worker/broadcast/events/webhook-signature.ts";
import { BROADCAST_EVENTS } from "../../../worker/protocol/broadcast-events.ts";

const DOCS = await readFile(new URL("../../../docs/events.md", import.meta.url), "utf8");
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

test("docs/events.md lists every event in order, with its fields", () => {
	const listed = [...DOCS.matchAll(/^\| `([a-z_.]+)` \| (.*?) \|/gm)].map(([, type, fields = ""]) => [
		type,
		[...fields.matchAll(/`(\w+\??)`/g)].map(([, field]) => field),
	]);
	const events = Object.entries(BROADCAST_EVENTS).map(([type, { shape }]) => [
		type,
		Object.entries(shape).map(([name, schema]) => (schema.safeParse(undefined).success ? `${name}?` : name)),
	]);
	expect(listed).toEqual(events);
});

test("the code there that checks a signature takes ours, and no other", async () => {
	const [, code = ""] = /```ts\n(?:import [^\n]*\n\n)export (function isGenuine[\s\S]*?\n})\n```/.exec(DOCS) ?? [];
	const plain = code.replace(/\((headers): [^)]*\): boolean/, "($1, body, secret, nowS)");
	const isGenuine = new Function("createHmac", "timingSafeEqual", `${plain}; return isGenuine;`)(
		createHmac,
		timingSafeEqual,
	) as (headers: Record<string, string>, body: string, secret: string, nowS: number) => boolean;
	const body = '{"a":"ü"}';
	const headers = {
		"webhook-id": "b.1",
		"webhook-timestamp": "1000",
		"webhook-signature": await webhookSignature({ id: "b.1", timestampS: 1_000, body }, SECRET),
	};
	expect(isGenuine(headers, body, SECRET, 1_299)).toBe(true);
	expect(isGenuine(headers, body, SECRET, 1_301)).toBe(false);
	expect(isGenuine(headers, `${body} `, SECRET, 1_000)).toBe(false);
	expect(isGenuine({ ...headers, "webhook-id": "b.2" }, body, SECRET, 1_000)).toBe(false);
	expect(isGenuine({ ...headers, "webhook-signature": "" }, body, SECRET, 1_000)).toBe(false);
});
