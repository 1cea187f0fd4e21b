import type { Log } from "../log.ts";

/** A page that fails on every frame says the same 30 times a second; the first lines of each minute tell enough. */
const LINES_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
const MAX_LINE_CHARS = 500;

/** Passes a page's warnings and errors to the log, so many a minute. */
export class ConsoleRelay {
	readonly #log: Log;
	#minuteStartMs = Number.NEGATIVE_INFINITY;
	#lines = 0;

	constructor(log: Log) {
		this.#log = log;
	}

	push(level: string, text: string, nowMs: number): void {
		if (nowMs - this.#minuteStartMs >= MINUTE_MS) {
			this.#minuteStartMs = nowMs;
			this.#lines = 0;
		}
		this.#lines += 1;
		if (this.#lines <= LINES_PER_MINUTE) {
			this.#log(`page ${level}: ${text.slice(0, MAX_LINE_CHARS)}`);
		} else if (this.#lines === LINES_PER_MINUTE + 1) {
			this.#log("page: more than that is left out for a minute");
		}
	}
}
