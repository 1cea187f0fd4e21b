import { describe, expect, it } from "vitest";
import { createLog, logWith, relayLine } from "../../../runner/log.ts";

const SECRET = "s3cr3tpart0123456789abcd";

function log() {
	const lines: Record<string, unknown>[] = [];
	return {
		lines,
		log: createLog("runner", (line) => lines.push(JSON.parse(line) as Record<string, unknown>)),
	};
}

describe("the runner's log", () => {
	it("writes entries as JSON, without secrets, by the part that says them", () => {
		const { lines, log: subject } = log();
		const common = logWith(subject, { broadcastId: "b", part: "page" });
		subject(`authorization: Bearer ${SECRET}`);
		common("expected a key frame\n  at x, got none", { level: "warn", requestId: "r" });
		expect(lines).toMatchObject([
			{ level: "info", part: "runner", message: "authorization: Bearer <token>" },
			{
				level: "warn",
				part: "page",
				broadcastId: "b",
				requestId: "r",
				message: "expected a key frame\n  at x, got none",
			},
		]);
	});

	it("passes on the lines of other processes, entries as they were and other text as a message", () => {
		const { lines, log: subject } = log();
		const entry = { time: "long ago", level: "warn", part: "api", message: "ready", requestId: "r", status: 500 };
		expect(relayLine(subject, JSON.stringify(entry), { part: "worker" })).toBe("ready");
		for (const other of ["plain text", "{not json", '{"message":1}']) {
			expect(relayLine(subject, other, { part: "worker", level: "error" })).toBe(other);
		}
		expect(lines).toMatchObject([
			{ ...entry, time: expect.not.stringContaining("ago") },
			{ level: "error", part: "worker", message: "plain text" },
			{ level: "error", part: "worker", message: "{not json" },
			{ level: "error", part: "worker", message: '{"message":1}' },
		]);
	});
});
