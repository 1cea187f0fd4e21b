import { z } from "zod";
import { LOG_LEVELS, type LogFields, type LogLevel, logLine } from "../worker/protocol/log-line.ts";

export { messageOf } from "../worker/protocol/log-line.ts";

export interface RunnerLogFields extends LogFields {
	/** Default: "info". */
	readonly level?: LogLevel;
	/** Who writes, where it is not the log's own part. */
	readonly part?: string;
}

/** Takes one entry; secrets are taken out before it gets anywhere (see {@link createLog}). */
export type Log = (message: string, fields?: RunnerLogFields) => void;

/** The one place where lines of the runner, and of the system around it, are made: JSON, without secrets, one line an entry. */
export function createLog(ownPart: string, write: (line: string) => void): Log {
	return (message, { level = "info", part = ownPart, ...fields } = {}) =>
		write(logLine({ level, part, message, fields }, Date.now()));
}

/** The log with fields that every entry carries, unless it has its own. */
export function logWith(log: Log, common: RunnerLogFields): Log {
	return (message, fields) => log(message, { ...common, ...fields });
}

const lineSchema = z.looseObject({ message: z.string(), level: z.enum(LOG_LEVELS), part: z.string() });

/** Passes on what another process wrote, line by line: entries as they were, other text as a message. Gives the message. */
export function relayLine(log: Log, text: string, otherwise: RunnerLogFields): string {
	const entry = text.startsWith("{") ? lineSchema.safeParse(jsonOrNothing(text)).data : undefined;
	if (entry === undefined) {
		log(text, otherwise);
		return text;
	}
	const { message, time: _, ...fields } = entry;
	log(message, fields);
	return message;
}

function jsonOrNothing(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch (error) {
		if (error instanceof SyntaxError) {
			return undefined;
		}
		throw error;
	}
}
