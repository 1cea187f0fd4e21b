import { readdirSync, readFileSync } from "node:fs";

/** Ids of the live processes whose command line contains `text` (Linux). Zombies have no command line and do not count. */
export function processesWith(text: string): number[] {
	return readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
		.map(Number)
		.filter((pid) => commandLine(pid).includes(text));
}

function commandLine(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
	} catch {
		// It ended between listing and reading.
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
