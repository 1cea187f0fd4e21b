import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Folders are named for the process that made them, so that a later one can tell which nobody uses any more. */
const PREFIX = "tandem-chromium-";
const NAME = /^tandem-chromium-(\d+)-/;
/** Chromium's last children may still write while we remove. */
const REMOVE_TRIES = 5;
const REMOVE_PAUSE_MS = 100;

/** A new, empty profile for one browser. */
export function makeProfileFolder(parent = tmpdir()): Promise<string> {
	return mkdtemp(join(parent, `${PREFIX}${process.pid}-`));
}

export function removeProfileFolder(folder: string): Promise<void> {
	return rm(folder, { recursive: true, force: true, maxRetries: REMOVE_TRIES, retryDelay: REMOVE_PAUSE_MS });
}

/** Removes the profiles of processes that were killed before they could. */
export async function sweepProfileFolders(parent = tmpdir(), isAlive = processIsAlive): Promise<void> {
	for (const name of await readdir(parent)) {
		const [, pid] = NAME.exec(name) ?? [];
		if (pid !== undefined && !isAlive(Number(pid))) {
			await removeProfileFolder(join(parent, name));
		}
	}
}

function processIsAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		// EPERM: it lives and is another user's.
		return error instanceof Error && "code" in error && error.code === "EPERM";
	}
}
