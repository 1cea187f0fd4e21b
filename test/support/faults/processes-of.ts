import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { descendantsOf } from "../processes.ts";

/** Long enough for a renderer that composes to have used far more of a processor than one that waits, which uses next to none. */
const LOOK_MS = 1_000;
const WORKS_ABOVE_TICKS = 8;

function commandLine(pid: number): string {
	return read(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
}

/** Processor time, and when it began since the machine did, in ticks of 10 ms (`man 5 proc`: utime, stime and starttime). */
function ticksOf(pid: number): { used: number; startedAt: number } {
	const stat = read(`/proc/${pid}/stat`);
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	return { used: Number(fields[11] ?? 0) + Number(fields[12] ?? 0), startedAt: Number(fields[19] ?? 0) };
}

/** Empty when the process has ended. */
function read(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return "";
	}
}

/** The workerds below the process that runs wrangler: one in front that listens at the Worker's port, and one that holds the Worker and its objects. */
export function workerdsOf(workerPid: number): { readonly front: number[]; readonly objects: number[] } {
	const all = descendantsOf(workerPid).filter((pid) => /\bworkerd\b.* serve /.test(commandLine(pid)));
	const isFront = (pid: number) => !/ --socket-addr=entry=\S+:0 /.test(commandLine(pid));
	return { front: all.filter(isFront), objects: all.filter((pid) => !isFront(pid)) };
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

/** The browser that composes: of all that these runners have and whose renderer works, the oldest. The others are spares, old or just being started. */
export async function busyBrowserOf(runnerPids: readonly number[]): Promise<BusyBrowser> {
	const roots = runnerPids.flatMap(browserRoots);
	const renderers = roots.flatMap((browserPid) =>
		descendantsOf(browserPid)
			.filter((pid) => commandLine(pid).includes("--type=renderer"))
			.map((rendererPid) => ({ browserPid, rendererPid, before: ticksOf(rendererPid) })),
	);
	await sleep(LOOK_MS);
	const [oldest] = renderers
		.filter(({ rendererPid, before }) => ticksOf(rendererPid).used - before.used >= WORKS_ABOVE_TICKS)
		.toSorted((a, b) => a.before.startedAt - b.before.startedAt);
	if (oldest === undefined) {
		throw new Error(`expected a browser that composes, got ${renderers.length} renderers that do next to nothing`);
	}
	const { browserPid, rendererPid } = oldest;
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
