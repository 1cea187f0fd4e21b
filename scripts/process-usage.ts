import { readdirSync, readFileSync } from "node:fs";

/** Linux counts processor time in ticks of 10 ms (`man 5 proc`, USER_HZ). */
const TICKS_PER_SECOND = 100;

export interface ProcessTime {
	readonly pid: number;
	readonly parent: number;
	readonly cpuSeconds: number;
}

interface ProcessInfo extends ProcessTime {
	readonly command: string;
}

const BYTES_PER_KIB = 1_024;

/** All processes of the machine by id; empty where there is no /proc. */
function processes(): Map<number, ProcessInfo> {
	const found = new Map<number, ProcessInfo>();
	for (const name of safely(() => readdirSync("/proc")) ?? []) {
		const stat = /^\d+$/.test(name) ? safely(() => readFileSync(`/proc/${name}/stat`, "utf8")) : undefined;
		if (stat === undefined) {
			continue;
		}
		const command = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
		found.set(Number(name), { ...parseStat(stat), command });
	}
	return found;
}

/** One line of /proc/PID/stat: pid (command) state ppid … utime stime …; the command may hold spaces and brackets, so count from its end. */
export function parseStat(line: string): ProcessTime {
	const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
	const [pid, parent, ticks] = [Number.parseInt(line, 10), Number(fields[1]), Number(fields[11]) + Number(fields[12])];
	if (![pid, parent, ticks].every(Number.isFinite)) {
		throw new Error(`/proc: expected a process's state, got: ${line.slice(0, 200)}`);
	}
	return { pid, parent, cpuSeconds: ticks / TICKS_PER_SECOND };
}

export interface Usage {
	readonly cpuSeconds: number;
	/** Pages that several processes share count in shares, so that a browser's sum is what it really takes (PSS). */
	readonly memoryBytes: number;
}

/** Processor time and memory of all descendants of `root` (itself included) whose command matches. */
export function usageOf(root: number, command: RegExp): Usage {
	let cpuSeconds = 0;
	let memoryBytes = 0;
	for (const { id, info } of descendants(root, command)) {
		cpuSeconds += info.cpuSeconds;
		memoryBytes += memoryOf(id);
	}
	return { cpuSeconds, memoryBytes };
}

/** Processor time of each descendant of `root` (itself included) whose command matches. Memory is left alone: to sum up a browser's takes long. */
export function processTimes(root: number, command: RegExp): ProcessTime[] {
	return descendants(root, command).map(({ info: { pid, parent, cpuSeconds } }) => ({ pid, parent, cpuSeconds }));
}

export function cpuSecondsOf(times: readonly ProcessTime[]): number {
	return times.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

/** The ids of all descendants of `root` (itself included) whose command matches. */
export function processIds(root: number, command: RegExp): number[] {
	return descendants(root, command).map(({ id }) => id);
}

function descendants(root: number, command: RegExp): { readonly id: number; readonly info: ProcessInfo }[] {
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
	return [...family].flatMap((id) => {
		const info = all.get(id);
		return info !== undefined && command.test(info.command) ? [{ id, info }] : [];
	});
}

/** The kernel's sum over a process's mappings (`man 5 proc`, smaps_rollup, "Pss:", in KiB). */
function memoryOf(pid: number): number {
	const rollup = safely(() => readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? "";
	const [, kib = "0"] = /^Pss:\s+(\d+) kB$/m.exec(rollup) ?? [];
	return Number(kib) * BYTES_PER_KIB;
}

/** A process may end between being listed and being read. */
function safely<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch {
		return undefined;
	}
}
