import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { usageOf } from "../../../scripts/process-usage.ts";
import { waitFor } from "../../../scripts/wait-for.ts";

const children: ChildProcess[] = [];
afterEach(() => {
	for (const child of children.splice(0)) {
		child.kill("SIGKILL");
	}
});

function start(script: string): number {
	const child = spawn("/bin/sh", ["-c", script], { stdio: "ignore" });
	children.push(child);
	if (child.pid === undefined) {
		throw new Error("expected the shell to start, got no process id");
	}
	return child.pid;
}

describe.runIf(existsSync("/proc/self/stat"))("usageOf", () => {
	test("counts the time of a process' busy child, and none of a process that has ended", async () => {
		const pid = start("sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exec sleep 20' & wait");
		const busy = await waitFor("0.1 s of processor time", 20_000, () => {
			const usage = usageOf(pid, /./);
			return usage.cpuSeconds >= 0.1 ? usage : undefined;
		});
		expect(busy.memoryBytes).toBeGreaterThan(100_000);
		expect(usageOf(2 ** 30, /./)).toEqual({ cpuSeconds: 0, memoryBytes: 0 });
	});

	test("counts only commands that match", async () => {
		const pid = start("sleep 20 & sleep 20 & wait");
		const both = await waitFor("two sleeping children", 20_000, () => {
			const usage = usageOf(pid, /^sleep$/);
			return usage.memoryBytes > 0 ? usage : undefined;
		});
		expect(both.memoryBytes).toBeLessThan(usageOf(pid, /^(sh|dash|bash|sleep)$/).memoryBytes);
		expect(usageOf(pid, /^chromium$/).memoryBytes).toBe(0);
	});
});
