import { z } from "@hono/zod-openapi";
import { LIST_ORDERS } from "../broadcast/index-query.ts";
import { searchQuery } from "../broadcast/search-words.ts";
import { BROADCAST_STATUSES } from "../protocol/broadcast-commands.ts";
import { MAX_CURSOR_LENGTH } from "./page-cursor.ts";
import { broadcastSummarySchema } from "./schemas.ts";

export const MAX_PAGE_SIZE = 100;
const DEFAULT_PAGE_SIZE = 20;
const MAX_SEARCH_LENGTH = 200;

const TIME = "the time a broadcast is scheduled for or, where it is not scheduled, was created at (RFC 3339, any zone)";

/** The status as a list in one word: `live,lobby`. */
const statusesSchema = z
	.string()
	.max(100)
	.transform((text) => [...new Set(text.split(","))].toSorted())
	.pipe(z.array(z.enum(BROADCAST_STATUSES)))
	.openapi({ type: "string", description: "One status or several, with commas between", example: "scheduled,lobby" });

const timeSchema = z.iso
	.datetime({ offset: true, error: "expected a date-time of RFC 3339 with a zone, got something else" })
	.transform((text) => Date.parse(text));

export const listQuerySchema = z.strictObject({
	status: statusesSchema.optional(),
	from: timeSchema.optional().openapi({ type: "string", format: "date-time", description: `Not before: ${TIME}` }),
	until: timeSchema.optional().openapi({ type: "string", format: "date-time", description: `Before: ${TIME}` }),
	q: z
		.string()
		.max(MAX_SEARCH_LENGTH)
		.refine((text) => searchQuery(text) !== undefined, "expected at least one word, got none")
		.optional()
		.openapi({
			description:
				"All of these words, or words that begin so, in title, description or the host's name; accents and case do not matter",
			example: "morn show",
		}),
	order: z.enum(LIST_ORDERS).default("newest").openapi({
		description: "`newest`: the last created first. `start`: the soonest scheduled first (else by creation)",
	}),
	limit: z.coerce.number().int().min(1).max(MAX_PAGE_SIZE).default(DEFAULT_PAGE_SIZE),
	cursor: z.string().max(MAX_CURSOR_LENGTH).optional().openapi({
		description: "`nextCursor` of the page before; good for the same status, from, until, q and order only",
	}),
});

export const listedBroadcastSchema = broadcastSummarySchema
	.extend({ description: z.string().optional(), hostName: z.string() })
	.openapi("ListedBroadcast");

export const broadcastPageSchema = z
	.object({
		broadcasts: z.array(listedBroadcastSchema),
		nextCursor: z.string().optional().openapi({ description: "Absent on the last page" }),
	})
	.openapi("BroadcastPage");
