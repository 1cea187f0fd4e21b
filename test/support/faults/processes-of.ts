import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { descendantsOf } from "../processes.ts";

/** Long enough for a renderer that composes to have used far more of a processor than one that waits. */
const LOOK_MS = 700;

function commandLine(pid: number): string {
	return read(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
}

/** Processor time in ticks (`man 5 proc`, utime and stime). */
function ticksOf(pid: number): number {
	const stat = read(`/proc/${pid}/stat`);
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** Empty when the process has ended. */
function read(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return "";
	}
}

/** The processes that serve the Worker, below the one that runs wrangler. */
export function workerdsOf(workerPid: number): number[] {
	return descendantsOf(workerPid).filter((pid) => /\bworkerd\b.* serve /.test(commandLine(pid)));
}

/** Every process of every browser that a runner has started. */
export function browserProcessesOf(runnerPid: number): number[] {
	return descendantsOf(runnerPid).filter((pid) => commandLine(pid).includes("--user-data-dir="));
}

/** A browser's first process, of which the others are children. */
function browserRoots(runnerPid: number): number[] {
	return browserProcessesOf(runnerPid).filter((pid) => !commandLine(pid).includes("--type="));
}

export interface BusyBrowser {
	readonly browserPid: number;
	/** The renderer that works. */
	readonly rendererPid: number;
	/** All of its processes. */
	readonly pids: readonly number[];
}

/** The browser that composes: the one whose renderer takes the most processor time of all that these runners have. The others are spares. */
export async function busyBrowserOf(runnerPids: readonly number[]): Promise<BusyBrowser> {
	const roots = runnerPids.flatMap(browserRoots);
	const renderers = roots.flatMap((browserPid) =>
		descendantsOf(browserPid)
			.filter((pid) => commandLine(pid).includes("--type=renderer"))
			.map((rendererPid) => ({ browserPid, rendererPid, before: ticksOf(rendererPid) })),
	);
	await sleep(LOOK_MS);
	const busiest = renderers
		.map((each) => ({ ...each, took: ticksOf(each.rendererPid) - each.before }))
		.toSorted((a, b) => b.took - a.took)[0];
	if (busiest === undefined || busiest.took === 0) {
		throw new Error(`expected a browser that composes, got ${renderers.length} renderers that do nothing`);
	}
	const { browserPid, rendererPid } = busiest;
	return { browserPid, rendererPid, pids: [browserPid, ...descendantsOf(browserPid)] };
}

/** Sends a signal to each that still lives. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
	for (const pid of pids) {
		try {
			process.kill(pid, signal);
		} catch (error) {
			if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) {
				throw error;
			}
		}
	}
}
