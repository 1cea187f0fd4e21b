import { z } from "zod";
import { LOG_LEVELS } from "../../worker/protocol/log-line.ts";

const lineSchema = z.looseObject({
	level: z.enum(LOG_LEVELS),
	part: z.string(),
	message: z.string(),
	error: z.string().optional(),
});

/** Parts that say something of every request: of interest in the file, too much for a terminal. */
const TALKATIVE_PARTS = ["api", "broadcast", "pool", "egress", "router"];

/** A line of the log as a person reads it on a terminal; `undefined` for what is in the file only. */
export function shownLine(line: string): string | undefined {
	const { level, part, message, error } = lineSchema.parse(JSON.parse(line));
	if (level === "info" && TALKATIVE_PARTS.includes(part)) {
		return undefined;
	}
	return `${part}: ${message}${error === undefined ? "" : `: ${error}`}`.replace(/\s*\n\s*/g, " | ");
}
