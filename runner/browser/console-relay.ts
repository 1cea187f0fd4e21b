import type { LogLevel } from "../../worker/protocol/log-line.ts";
import type { Log } from "../log.ts";

/** A page that fails on every frame says the same 30 times a second; the first lines of each minute tell enough. */
const LINES_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
const MAX_LINE_CHARS = 500;

/** Passes what a page says to the log, so many lines a minute, with what the page works on. */
export class ConsoleRelay {
	readonly #log: Log;
	#workedOn: { readonly broadcastId?: string; readonly requestId?: string } = {};
	#minuteStartMs = Number.NEGATIVE_INFINITY;
	#lines = 0;

	constructor(log: Log) {
		this.#log = log;
	}

	/** What the page says from now on, it says of this broadcast, and in the course of this request. */
	assigned({
		broadcastId,
		requestId,
	}: {
		readonly broadcastId: string;
		readonly requestId?: string | undefined;
	}): void {
		this.#workedOn = { broadcastId, ...(requestId === undefined ? {} : { requestId }) };
	}

	push(level: LogLevel, text: string, nowMs: number): void {
		if (nowMs - this.#minuteStartMs >= MINUTE_MS) {
			this.#minuteStartMs = nowMs;
			this.#lines = 0;
		}
		this.#lines += 1;
		if (this.#lines <= LINES_PER_MINUTE) {
			this.#log(text.slice(0, MAX_LINE_CHARS), { level, part: "page", ...this.#workedOn });
		} else if (this.#lines === LINES_PER_MINUTE + 1) {
			this.#log("more than that is left out for a minute", { level: "warn", part: "page", ...this.#workedOn });
		}
	}
}
