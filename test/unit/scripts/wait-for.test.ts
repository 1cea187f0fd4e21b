import { describe, expect, test } from "vitest";
import { waitFor } from "../../../scripts/wait-for.ts";

describe("waitFor", () => {
	test("asks until there is an answer, past errors, and takes false and 0 for answers", async () => {
		let asked = 0;
		const answer = await waitFor("the third", 10_000, () => {
			asked += 1;
			if (asked === 1) {
				throw new Error("not yet");
			}
			return asked === 3 ? 0 : undefined;
		});
		expect([answer, asked]).toEqual([0, 3]);
	});

	test("says what it waited for, and why it failed at the end", async () => {
		const waiting = waitFor("a miracle", 20, () => Promise.reject(new Error("no miracles")));
		await expect(waiting).rejects.toThrow("expected a miracle within 20 ms, got nothing");
		await expect(waiting).rejects.toMatchObject({ cause: new Error("no miracles") });
	});
});
