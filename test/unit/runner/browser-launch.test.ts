import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { chromiumEnvironment, chromiumFlags } from "../../../runner/browser/chromium-flags.ts";
import { ConsoleRelay } from "../../../runner/browser/console-relay.ts";
import { findChromium } from "../../../runner/browser/find-chromium.ts";
import { makeProfileFolder, sweepProfileFolders } from "../../../runner/browser/profile-folder.ts";

describe("starting Chromium", () => {
	it("takes the one asked for, else the first of the usual places", () => {
		expect(findChromium("/opt/mine", () => true)).toBe("/opt/mine");
		expect(findChromium(undefined, (path) => path === "/usr/bin/google-chrome")).toBe("/usr/bin/google-chrome");
		expect(findChromium("", () => true)).toBe("/usr/bin/chromium");
	});

	it("says what to do when there is none", () => {
		expect(() => findChromium("/opt/mine", () => false)).toThrow(/got nothing at \/opt\/mine/);
		expect(() => findChromium(undefined, () => false)).toThrow(/set PUPPETEER_EXECUTABLE_PATH/);
	});

	it("keeps the sandbox except as root", () => {
		expect(chromiumFlags(false)).not.toContain("--no-sandbox");
		expect(chromiumFlags(true)).toContain("--no-sandbox");
	});

	it("passes none of the runner's secrets on", () => {
		const passed = chromiumEnvironment({ PATH: "/bin", RUNNER_TOKEN: "s", HOME: "/root" }, "/tmp/profile");
		expect(passed).toEqual({ PATH: "/bin", HOME: "/tmp/profile", TMPDIR: "/tmp/profile" });
	});

	it("removes the profiles of processes that are gone, and no others", async () => {
		const parent = await mkdtemp(join(tmpdir(), "tandem-test-"));
		try {
			const mine = await makeProfileFolder(parent);
			await sweepProfileFolders(parent);
			expect(existsSync(mine)).toBe(true);
			await sweepProfileFolders(parent, () => false);
			expect(existsSync(mine)).toBe(false);
			expect(existsSync(parent)).toBe(true);
		} finally {
			await rm(parent, { recursive: true });
		}
	});

	it("logs only so many of a page's lines a minute", () => {
		const lines: string[] = [];
		const fields: unknown[] = [];
		const relay = new ConsoleRelay((line, more) => {
			lines.push(line);
			fields.push(more);
		});
		for (let i = 0; i < 100; i++) {
			relay.push("error", "again", i);
		}
		expect(lines).toHaveLength(31);
		expect(lines.at(-1)).toContain("left out");
		relay.push("error", "later", 60_000);
		expect(lines.at(-1)).toBe("later");
		expect(fields.at(-1)).toEqual({ level: "error", part: "page" });
		relay.assigned({ broadcastId: "b", requestId: "r" });
		relay.push("info", "composes", 60_001);
		expect(fields.at(-1)).toEqual({ level: "info", part: "page", broadcastId: "b", requestId: "r" });
	});
});
