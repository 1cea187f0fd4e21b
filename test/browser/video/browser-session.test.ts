import { expect, test } from "vitest";
import { useBrowser } from "../../support/browser/use-browser.ts";

const browser = useBrowser();
const probe = new URL("../../support/browser/probe.ts", import.meta.url);

test.each(["worker", "page"] as const)("runs an export in a %s and carries bytes both ways", async (where) => {
	const answer = await browser.run(probe, "describePlace", ["hello", new Uint8Array([0, 254])], { where });
	expect(answer).toEqual({ greeting: "hello", worker: where === "worker", bytes: new Uint8Array([1, 255]) });
});

test.each(["worker", "page"] as const)("passes on an error thrown in a %s", async (where) => {
	await expect(browser.run(probe, "fail", [], { where })).rejects.toThrow("probe: failed on purpose");
});

test("says what hung", async () => {
	await expect(browser.run(probe, "hang", [], { timeoutMs: 200 })).rejects.toThrow(
		"expected hang to end within 200 ms",
	);
});
