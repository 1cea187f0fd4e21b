import { describe, expect, it } from "vitest";
import { createLog, redactSecrets } from "../../../runner/log.ts";

const SECRET = "s3cr3tpart0123456789abcd";

describe("the runner's log", () => {
	it.each([
		["a role token", `token eyJhbGciOiJIUzI1NiJ9.eyJiaWQiOiJiIn0.${SECRET} refused`, "token <token> refused"],
		["a stream key", `0123456789abcdef-host-${SECRET}: gone`, "0123456789abcdef-host-<key>: gone"],
		["a header", `authorization: Bearer ${SECRET}`, "authorization: Bearer <token>"],
		["a subprotocol", `protocol tandem, bearer.${SECRET}`, "protocol tandem, bearer.<token>"],
		["a query", `wss://h/api?ack=1&token=${SECRET}&x=1`, "wss://h/api?ack=1&token=<secret>&x=1"],
	])("leaves out %s", (_what, text, clean) => {
		expect(redactSecrets(text)).toBe(clean);
	});

	it("leaves plain text as it is, and every entry on one line", () => {
		const lines: string[] = [];
		createLog("runner:", (line) => lines.push(line))("expected a key frame\n  at x, got none");
		expect(lines).toEqual(["runner: expected a key frame | at x, got none"]);
	});
});
