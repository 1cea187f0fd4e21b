import fc from "fast-check";
import { expect, test } from "vitest";
import { destinationIdentity, withStreamKey } from "../../../egress/destination-identity.ts";
import { checkDestination, type DestinationAddress } from "../../../egress/destination-policy.ts";

const KEY_CHARS = [..."abcXYZ019-_."];
const word = fc.string({ unit: fc.constantFrom(...KEY_CHARS), minLength: 1, maxLength: 12 });
const host = fc.constantFrom<string>("live.example.com", "a.rtmp.youtube.com", "203.0.113.7", "[2606:4700::1]");
const port = fc.constantFrom<number | undefined>(undefined, 1_935, 443, 8_443);
const secure = fc.boolean();
const app = fc.array(word, { minLength: 1, maxLength: 2 }).map((parts) => parts.join("/"));
const key = fc
	.tuple(word, fc.option(word, { nil: undefined }))
	.map(([name, query]) => (query === undefined ? name : `${name}?sig=${query}`));
const place = fc.record({ host, port, secure, app, key });
type Place = typeof place extends fc.Arbitrary<infer T> ? T : never;

/** The port there really is. */
function portOf({ port: written, secure: tls }: Place): number {
	return written ?? (tls ? 443 : 1_935);
}

function scramble(text: string, flips: readonly boolean[]): string {
	return [...text].map((char, index) => (flips[index % flips.length] ? char.toUpperCase() : char)).join("");
}

/** Every way to write a place, chosen by `style`. */
const style = fc.record({
	flips: fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
	writesPort: fc.boolean(),
	keyApart: fc.boolean(),
	slashes: fc.nat({ max: 2 }),
	user: fc.option(word, { nil: undefined }),
	finalDot: fc.boolean(),
});
type Style = typeof style extends fc.Arbitrary<infer T> ? T : never;

function written(at: Place, how: Style): DestinationAddress {
	const isName = /[a-z]$/.test(at.host);
	const name = scramble(at.host, how.flips) + (how.finalDot && isName ? "." : "");
	const defaultPort = at.secure ? 443 : 1_935;
	const isDefault = portOf(at) === defaultPort;
	const authority = `${how.user === undefined ? "" : `${how.user}:pass@`}${name}`;
	const server = `${at.secure ? "rtmps" : "rtmp"}://${authority}${isDefault && !how.writesPort ? "" : `:${portOf(at)}`}/${at.app}`;
	return how.keyApart ? { url: server + "/".repeat(how.slashes), streamKey: at.key } : { url: `${server}/${at.key}` };
}

test("one destination is the same in whatever way it is written, and all of those may be published to", () => {
	fc.assert(
		fc.property(place, style, style, (at, one, other) => {
			expect(destinationIdentity(written(at, one))).toBe(destinationIdentity(written(at, other)));
			expect(checkDestination(written(at, one), { allowPrivate: true }).ok).toBe(true);
		}),
	);
});

test("destinations that differ in server, port, application or key are not the same", () => {
	const differs = (a: Place, b: Place) =>
		a.host !== b.host || a.app !== b.app || a.key !== b.key || portOf(a) !== portOf(b);
	const bothDefault = (a: Place, b: Place) => [a, b].every((each) => portOf(each) === (each.secure ? 443 : 1_935));
	fc.assert(
		fc.property(place, place, style, style, (a, b, one, other) => {
			fc.pre(differs(a, b));
			// RTMP and RTMPS, each at its own port, are two doors to one room.
			fc.pre(a.host !== b.host || a.app !== b.app || a.key !== b.key || !bothDefault(a, b));
			expect(destinationIdentity(written(a, one))).not.toBe(destinationIdentity(written(b, other)));
		}),
	);
	const base: Place = { host: "live.example.com", port: undefined, secure: true, app: "app", key: "key" };
	const plain: Style = {
		flips: [false],
		writesPort: false,
		keyApart: true,
		slashes: 0,
		user: undefined,
		finalDot: false,
	};
	for (const change of [
		{ host: "b.example.com" },
		{ port: 1_935 },
		{ app: "App" },
		{ key: "Key" },
		{ key: "key?a=1" },
	]) {
		expect(destinationIdentity(written({ ...base, ...change }, plain)), JSON.stringify(change)).not.toBe(
			destinationIdentity(written(base, plain)),
		);
	}
	expect(destinationIdentity(written({ ...base, secure: false }, plain))).toBe(
		destinationIdentity(written(base, plain)),
	);
});

test("YouTube's backup server is another destination than its primary, written in one piece or two", () => {
	const backup = "rtmp://b.rtmp.youtube.com/live2?backup=1";
	const identity = destinationIdentity({ url: backup, streamKey: "k" });
	expect(destinationIdentity({ url: `${backup}/k` })).toBe(identity);
	expect(destinationIdentity({ url: "rtmp://a.rtmp.youtube.com/live2", streamKey: "k" })).not.toBe(identity);
});

test("another key takes the place of the one there was, wherever it stood, and nothing else changes", () => {
	fc.assert(
		fc.property(place, style, key, (at, how, next) => {
			const changed = withStreamKey(written(at, how), next);
			expect(destinationIdentity(changed)).toBe(destinationIdentity(written({ ...at, key: next }, how)));
			expect(changed.url).not.toContain(`/${at.app}/${at.key}`);
			expect(checkDestination(changed, { allowPrivate: true }).ok).toBe(true);
		}),
	);
	expect(withStreamKey({ url: "rtmp://b.rtmp.youtube.com/live2?backup=1/old" }, "new")).toEqual({
		url: "rtmp://b.rtmp.youtube.com/live2?backup=1/",
		streamKey: "new",
	});
});

test("an address that is none is the same as itself only", () => {
	expect(destinationIdentity({ url: "not one" })).toBe(destinationIdentity({ url: "not one" }));
	expect(destinationIdentity({ url: "not one" })).not.toBe(destinationIdentity({ url: "another" }));
	expect(destinationIdentity({ url: "not one", streamKey: "" })).toBe(destinationIdentity({ url: "not one" }));
});

test("refuses at once an address whose key would be empty when it is dialled, and does not say what it was", () => {
	const refusal = checkDestination({ url: "rtmp://live.example.com/app/se-cret/" }, { allowPrivate: false });
	expect(refusal).toMatchObject({ ok: false, refusal: { kind: "destination-refused" } });
	expect(JSON.stringify(refusal)).not.toContain("se-cret");
});
