import { expect, it } from "vitest";
import { createLog } from "../../../runner/log.ts";
import { shownLine } from "../../../scripts/local-system/shown-line.ts";

it("shows on a terminal what a person looks for, and leaves the rest to the file", () => {
	const shown: (string | undefined)[] = [];
	const log = createLog("runner", (line) => shown.push(shownLine(line)));
	log("ready");
	log("request", { part: "api", requestId: "r" });
	log("a route failed", { part: "api", level: "error", error: new Error("two\n  lines") });
	expect(shown).toEqual(["runner: ready", undefined, "api: a route failed: two | lines"]);
});
