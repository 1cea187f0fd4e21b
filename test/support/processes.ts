import { readdirSync, readFileSync } from "node:fs";

/** Ids of the live processes whose command line contains `text` (Linux). Zombies have no command line and do not count. */
export function processesWith(text: string): number[] {
	return readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
		.map(Number)
		.filter((pid) => commandLine(pid).includes(text));
}

function commandLine(pid: number): string {
	return read(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
}

/** Empty when the process has ended between being listed and being read. */
function read(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return "";
	}
}

/** The profile folder that a browser was started with. */
export function profileOf(pid: number | undefined): string {
	const [, folder] = /--user-data-dir=(\S+)/.exec(commandLine(pid ?? -1)) ?? [];
	if (folder === undefined) {
		throw new Error(`test: expected a browser with a profile as process ${pid}`);
	}
	return folder;
}

/** The page's renderer and the one that Chromium keeps ready. */
export function renderersOf(profile: string): number[] {
	return processesWith(profile).filter((pid) => commandLine(pid).includes("--type=renderer"));
}

/** The live processes that `root` started, and those they started. */
export function descendantsOf(root: number): number[] {
	const parents = new Map<number, number>();
	for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
		const [, state, parent] = /\) (\S) (\d+) /.exec(read(`/proc/${name}/stat`)) ?? [];
		if (parent !== undefined && state !== "Z") {
			parents.set(Number(name), Number(parent));
		}
	}
	const family = [root];
	for (const member of family) {
		family.push(...[...parents].filter(([, parent]) => parent === member).map(([pid]) => pid));
	}
	return family.slice(1);
}

/** Those of `pids` that live; zombies do not. */
export function livingOf(pids: readonly number[]): number[] {
	return pids.filter((pid) => commandLine(pid) !== "");
}
