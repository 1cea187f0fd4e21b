import { expect, test } from "vitest";
import { fitText, initials, oneLine } from "../../../../compositor-page/graphics/text.ts";

/** Every character is as wide as any other. */
const columns = (text: string) =>
	Array.from(new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)).length;

test.each([
	["Ada Lovelace", 12, "Ada Lovelace"],
	["Ada Lovelace", 11, "Ada Lovela…"],
	["Ada Lovelace", 5, "Ada…"],
	["Ada Lovelace", 1, "…"],
	["👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3, "👩‍👩‍👧‍👦👩‍👩‍👧‍👦…"],
	["", 5, ""],
])("%j in %i columns is %j", (text, width, expected) => {
	expect(fitText(text, width, columns)).toBe(expected);
});

test.each([
	["Ada Lovelace", "AL"],
	["ada", "A"],
	["Ludwig van Beethoven", "LB"],
	["山田 太郎", "山太"],
	["“Quoted” (they)", "QT"],
	["élan vital", "ÉV"],
	["🎉 Party", "🎉P"],
	["- -", ""],
	["", ""],
])("the initials of %j are %j", (name, expected) => {
	expect(initials(name)).toBe(expected);
});

test("a name is one line, whatever was typed", () => {
	expect(oneLine("  Ada\n\tLovelace\u2028 \u0000\u200b ")).toBe("Ada Lovelace \u200b");
	expect(oneLine(" \n ")).toBe("");
});
