import { expect, test } from "vitest";
import { RecentlyUsed } from "../../../../compositor-page/graphics/recently-used.ts";

test("makes a thing once, and gives up the one unused for longest when there are too many", () => {
	const givenUp: string[] = [];
	const made: string[] = [];
	const kept = new RecentlyUsed<string, string>(2, (value) => givenUp.push(value));
	const get = (key: string) =>
		kept.get(key, () => {
			made.push(key);
			return key.toUpperCase();
		});
	expect([get("a"), get("b"), get("a"), get("c")]).toEqual(["A", "B", "A", "C"]);
	expect([made, givenUp]).toEqual([["a", "b", "c"], ["B"]]);
	get("b");
	expect([made, givenUp]).toEqual([
		["a", "b", "c", "b"],
		["B", "A"],
	]);
	kept.clear();
	expect(givenUp).toEqual(["B", "A", "C", "B"]);
});

test("what cannot be made is not kept", () => {
	const kept = new RecentlyUsed<string, number>(2);
	expect(() =>
		kept.get("a", () => {
			throw new Error("no memory");
		}),
	).toThrow("no memory");
	expect(kept.get("a", () => 1)).toBe(1);
});
