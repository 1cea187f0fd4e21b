import { type LogFields, type LogLevel, logLine } from "./protocol/log-line.ts";

/** Writes to the platform's log, which `npm start` keeps in a file: one line of JSON an entry, without secrets. */
export interface WorkerLog {
	info(message: string, fields?: LogFields): void;
	warn(message: string, fields?: LogFields): void;
	error(message: string, fields?: LogFields): void;
}

/** @param part who writes, such as `broadcast` */
export function createLog(part: string): WorkerLog {
	const write =
		(level: LogLevel) =>
		(message: string, fields: LogFields = {}) =>
			console[level](logLine({ level, part, message, fields }, Date.now()));
	return { info: write("info"), warn: write("warn"), error: write("error") };
}
