import { readFileSync } from "node:fs";
import { processIds } from "../../scripts/process-usage.ts";

/** Linux counts processor time in ticks of 10 ms (`man 5 proc`, USER_HZ). */
const TICKS_PER_SECOND = 100;

export interface ProcessTime {
	readonly pid: number;
	readonly parent: number;
	readonly cpuSeconds: number;
}

/**
 * All descendants of `root` (itself included) whose command matches. Only times are looked at: to sum up a browser's memory takes so long that the runner, which
 * lives in this process, would hold its media up.
 */
export function processTimes(root: number, command: RegExp): ProcessTime[] {
	return processIds(root, command).flatMap((pid) => {
		try {
			return [parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"))];
		} catch (error) {
			// A process may end between being listed and being read.
			if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH")) {
				return [];
			}
			throw error;
		}
	});
}

export function cpuSecondsOf(times: readonly ProcessTime[]): number {
	return times.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

/** One line of /proc/PID/stat: pid (command) state ppid … utime stime …; the command may hold spaces and brackets. */
export function parseStat(line: string): ProcessTime {
	const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
	const [pid, parent, ticks] = [Number.parseInt(line, 10), Number(fields[1]), Number(fields[11]) + Number(fields[12])];
	if (![pid, parent, ticks].every(Number.isFinite)) {
		throw new Error(`/proc: expected a process's state, got: ${line.slice(0, 200)}`);
	}
	return { pid, parent, cpuSeconds: ticks / TICKS_PER_SECOND };
}
