import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

const END_WITHIN_MS = 5_000;

/** Asks a process of ours to end, then insists. */
export async function endChild(child: ChildProcess): Promise<void> {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
		return;
	}
	const exited = once(child, "exit");
	child.kill("SIGTERM");
	const waiting = new AbortController();
	const late = sleep(END_WITHIN_MS, undefined, { signal: waiting.signal }).then(
		() => child.kill("SIGKILL"),
		() => undefined,
	);
	await exited;
	waiting.abort();
	await late;
}
