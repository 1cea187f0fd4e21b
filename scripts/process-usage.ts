import { readdirSync, readFileSync } from "node:fs";

/** Linux counts processor time in ticks of 10 ms (`man 5 proc`, USER_HZ). */
const TICKS_PER_SECOND = 100;

interface ProcessInfo {
	readonly parent: number;
	readonly command: string;
	readonly cpuSeconds: number;
	readonly residentBytes: number;
}

const PAGE_BYTES = 4_096;

/** All processes of the machine by id; empty where there is no /proc. */
function processes(): Map<number, ProcessInfo> {
	const found = new Map<number, ProcessInfo>();
	for (const name of safely(() => readdirSync("/proc")) ?? []) {
		const stat = /^\d+$/.test(name) ? safely(() => readFileSync(`/proc/${name}/stat`, "utf8")) : undefined;
		if (stat === undefined) {
			continue;
		}
		// pid (command) state ppid … utime stime … rss: the command may hold spaces and brackets, so count from its end.
		const command = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		const ticks = Number(fields[11]) + Number(fields[12]);
		found.set(Number(name), {
			parent: Number(fields[1]),
			command,
			cpuSeconds: ticks / TICKS_PER_SECOND,
			residentBytes: Number(fields[21]) * PAGE_BYTES,
		});
	}
	return found;
}

export interface Usage {
	readonly cpuSeconds: number;
	/** Shared pages are counted once a process, so that a browser's sum is more than what it takes. */
	readonly residentBytes: number;
}

/** Processor time and memory of all descendants of `root` (itself included) whose command matches. */
export function usageOf(root: number, command: RegExp): Usage {
	const all = processes();
	const family = new Set([root]);
	let grew = true;
	while (grew) {
		grew = false;
		for (const [pid, info] of all) {
			if (family.has(info.parent) && !family.has(pid)) {
				family.add(pid);
				grew = true;
			}
		}
	}
	let cpuSeconds = 0;
	let residentBytes = 0;
	for (const pid of family) {
		const info = all.get(pid);
		if (info !== undefined && command.test(info.command)) {
			cpuSeconds += info.cpuSeconds;
			residentBytes += info.residentBytes;
		}
	}
	return { cpuSeconds, residentBytes };
}

/** A process may end between being listed and being read. */
function safely<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch {
		return undefined;
	}
}
