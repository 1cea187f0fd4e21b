import { expect, test } from "vitest";
import { directionOf, fitText, initials, isVisible, oneLine } from "../../../../compositor-page/graphics/text.ts";

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
	["محمد", "م"],
	// A non-joiner keeps the letters apart, which would read as a word.
	["محمد الخوارزمي", "م\u200cا"],
	["- -", ""],
	["", ""],
])("the initials of %j are %j", (name, expected) => {
	expect(initials(name)).toBe(expected);
});

test("a name is one line, whatever was typed", () => {
	expect(oneLine("  Ada\n\tLovelace\u2028 \u0000\u200b ")).toBe("Ada Lovelace \u200b");
	expect(oneLine(" \n ")).toBe("");
});

test.each([
	["Ada Lovelace", "ltr"],
	["محمد الخوارزمي", "rtl"],
	["דוד", "rtl"],
	["(1) محمد Ada", "rtl"],
	["🎉 Ada محمد", "ltr"],
	["山田", "ltr"],
	["", "ltr"],
])("%j runs %s", (text, direction) => {
	expect(directionOf(text)).toBe(direction);
});

test.each([
	["Ada", true],
	["7", true],
	["🎉", true],
	["-", true],
	["", false],
	[" \u200b\u200d\u2060", false],
])("%j has something to see: %s", (text, visible) => {
	expect(isVisible(text)).toBe(visible);
});
