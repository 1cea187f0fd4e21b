import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLOSE, closeReason, mayRetryAfter } from "../../../worker/protocol/close-codes.ts";

const bytes = (text: string) => new TextEncoder().encode(text).byteLength;

describe("closeReason", () => {
	test("leaves what fits as it is, to the byte", () => {
		expect(closeReason("")).toBe("");
		expect(closeReason("a".repeat(123))).toBe("a".repeat(123));
		expect(closeReason("a".repeat(124))).toBe("a".repeat(123));
	});

	test("never cuts a character in two", () => {
		expect(closeReason(`${"a".repeat(122)}é`)).toBe("a".repeat(122));
		expect(closeReason(`${"a".repeat(121)}€`)).toBe("a".repeat(121));
		expect(closeReason(`${"a".repeat(120)}😀`)).toBe("a".repeat(120));
		expect(closeReason(`${"a".repeat(119)}😀`)).toBe(`${"a".repeat(119)}😀`);
	});

	test("gives a beginning of any text that fits into a control frame, and as much of it as fits", () => {
		fc.assert(
			fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
				const reason = closeReason(text);
				expect(text.startsWith(reason)).toBe(true);
				expect(bytes(reason)).toBeLessThanOrEqual(123);
				expect(reason === text || bytes(reason) > 123 - 4).toBe(true);
			}),
		);
	});
});

describe("mayRetryAfter", () => {
	test.each(Object.entries(CLOSE))("says of %s what the table says", (_kind, { code, retry }) => {
		expect(mayRetryAfter(code)).toBe(retry);
	});

	test.each([1001, 1005, 1006, 1011, 1013, 1015, 4999])("takes %i for a broken line", (code) => {
		expect(mayRetryAfter(code)).toBe(true);
	});

	test("gives every kind a code of its own that may be sent", () => {
		const codes = Object.values(CLOSE).map(({ code }) => code);
		expect(new Set(codes).size).toBe(codes.length);
		for (const code of codes) {
			expect(code === 1000 || code === 1012 || (code >= 4000 && code <= 4999)).toBe(true);
		}
	});
});
