import { describe, expect, test } from "vitest";
import { holdsCredential, keepRedeemed, personOf, readEntrance, type TabMemory } from "../../../../web/ui/entrance.ts";

function memory(): TabMemory & { readonly values: Map<string, string> } {
	const values = new Map<string, string>();
	return {
		values,
		getItem: (key) => values.get(key) ?? null,
		setItem: (key, value) => void values.set(key, value),
	};
}

const at = (pathname: string, hash = "") => ({ pathname, hash });

describe("readEntrance", () => {
	test("takes broadcast and token from the address", () => {
		expect(readEntrance(at("/studio/abc", "#token=t.o-k"), memory())).toEqual({
			broadcastId: "abc",
			credential: { kind: "token", token: "t.o-k" },
		});
	});

	test("knows the token after a reload, when the address has none", () => {
		const tab = memory();
		readEntrance(at("/studio/abc", "#token=first"), tab);
		expect(readEntrance(at("/studio/abc"), tab).credential).toEqual({ kind: "token", token: "first" });
		expect(readEntrance(at("/studio/other"), tab)).toEqual({ broadcastId: "other" });
	});

	test("uses an invite once: a reload, or the same link again, gives its token", () => {
		const tab = memory();
		const invite = at("/join/abc", "#invite=code");
		expect(readEntrance(invite, tab).credential).toEqual({ kind: "invite", code: "code" });
		expect(readEntrance(at("/join/abc"), tab).credential).toEqual({ kind: "invite", code: "code" });
		keepRedeemed("abc", "code", "token", tab);
		expect(readEntrance(at("/join/abc"), tab).credential).toEqual({ kind: "token", token: "token" });
		expect(readEntrance(invite, tab).credential).toEqual({ kind: "token", token: "token" });
	});

	test("prefers a newer link to what is remembered", () => {
		const tab = memory();
		readEntrance(at("/join/abc", "#token=old"), tab);
		expect(readEntrance(at("/join/abc", "#token=new"), tab).credential).toEqual({ kind: "token", token: "new" });
		expect(readEntrance(at("/join/abc", "#invite=newer"), tab).credential).toEqual({ kind: "invite", code: "newer" });
	});

	test.each(["/studio", "/studio/", "/"])("finds no broadcast in %s", (path) => {
		expect(readEntrance(at(path, "#token=t"), memory())).toEqual({});
	});

	test("finds nothing to get in by in an empty fragment", () => {
		expect(readEntrance(at("/join/abc", "#token="), memory())).toEqual({ broadcastId: "abc" });
		expect(["#token=", "", "#x=1"].map(holdsCredential)).toEqual([false, false, false]);
		expect(holdsCredential("#invite=x")).toBe(true);
	});
});

describe("personOf", () => {
	const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;

	test.each([
		[jwt({ role: "host", pid: "host" }), "host"],
		[jwt({ role: "guest", pid: "guest-3" }), "guest-3"],
		[jwt({ role: "host" }), "host"],
		["0123456789abcdef-guest-2-0123456789abcdef01234567", "guest-2"],
		["0123456789abcdef-host-0123456789abcdef01234567", "host"],
		[jwt({ role: "viewer" }), undefined],
		["e30.!!!.c2ln", undefined],
		["e30.bm90LWpzb24.c2ln", undefined],
		[jwt([]), undefined],
		["", undefined],
	])("reads whom %s is for", (token, person) => {
		expect(personOf(token)).toBe(person);
	});
});
