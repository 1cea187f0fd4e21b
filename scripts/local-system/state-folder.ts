import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const LOCK = "running.pid";

/** Where one system keeps what outlives it. One process at a time uses it. */
export interface StateFolder {
	readonly path: string;
	/** Gives the folder up; a temporary one is removed. May be called twice. */
	release(): void;
}

/** `path`, made when it is not there, or a temporary folder. @throws Error when another live process uses it */
export function claimStateFolder(path: string | undefined): StateFolder {
	if (path === undefined) {
		const temporary = mkdtempSync(join(tmpdir(), "tandem-state-"));
		return { path: temporary, release: () => rmSync(temporary, { recursive: true, force: true }) };
	}
	const folder = resolve(path);
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	const lock = join(folder, LOCK);
	takeLock(lock, folder);
	return { path: folder, release: () => rmSync(lock, { force: true }) };
}

function takeLock(lock: string, folder: string): void {
	try {
		writeFileSync(lock, String(process.pid), { flag: "wx" });
		return;
	} catch (error) {
		if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) {
			throw error;
		}
	}
	const owner = Number(readFileSync(lock, "utf8"));
	if (owner !== process.pid && isAlive(owner)) {
		throw new Error(
			`start: expected ${folder} to be free, got one that process ${owner} uses; choose another with --persist`,
		);
	}
	writeFileSync(lock, String(process.pid));
}

function isAlive(pid: number): boolean {
	if (!Number.isInteger(pid) || pid <= 0) {
		return false;
	}
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error instanceof Error && "code" in error && error.code === "EPERM";
	}
}
