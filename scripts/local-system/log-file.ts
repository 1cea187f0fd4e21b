import { createWriteStream, existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** A file this large is put aside, once, when the next system starts: so that logs of weeks stay readable and bounded. */
const ASIDE_ABOVE_BYTES = 16 * 1024 * 1024;

export interface LogFile {
	write(line: string): void;
	close(): Promise<void>;
}

/** Appends lines to a file. They are JSON and have their time. */
export function openLogFile(path: string): LogFile {
	mkdirSync(dirname(path), { recursive: true });
	if (existsSync(path) && statSync(path).size > ASIDE_ABOVE_BYTES) {
		renameSync(path, `${path}.1`);
	}
	const stream = createWriteStream(path, { flags: "a", mode: 0o600 });
	return {
		write: (line) => void stream.write(`${line}\n`),
		close: () => new Promise((resolve) => stream.end(() => resolve())),
	};
}
