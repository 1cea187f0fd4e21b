import { createRoute, type z } from "@hono/zod-openapi";
import { BroadcastTable } from "../broadcast/broadcast-index.ts";
import { isDoubtful } from "../broadcast/index-age.ts";
import { putRowRight } from "../broadcast/index-check.ts";
import type { IndexRow } from "../broadcast/index-query.ts";
import { searchQuery } from "../broadcast/search-words.ts";
import { createLog } from "../log.ts";
import { answers, newApiApp, SECURED } from "./api-app.ts";
import { allow } from "./guard.ts";
import { broadcastPageSchema, listedBroadcastSchema, listQuerySchema } from "./listing-schema.ts";
import { type ListQuestions, readCursor, writeCursor } from "./page-cursor.ts";

/** Objects asked on behalf of one page: a list that is all wrong is put right in a few looks, and none of them is slow. */
const MAX_CHECKS_A_PAGE = 5;

const log = createLog("listing");

export const listing = newApiApp().openapi(
	createRoute({
		method: "get",
		path: "/",
		summary: "List and search broadcasts",
		description:
			"By status, time and words, newest first unless said otherwise. Broadcasts that do not change come once, whatever is added or removed while one goes from page to page. The list follows the broadcasts within moments; each broadcast itself is always right.",
		security: SECURED,
		middleware: [allow("manage")] as const,
		request: { query: listQuerySchema },
		responses: answers(200, "One page", broadcastPageSchema),
	}),
	async (c) => {
		const query = c.req.valid("query");
		const { status, from, until, q, order, limit, cursor } = query;
		const questions = questionsOf(query);
		const words = q === undefined ? undefined : searchQuery(q);
		const table = new BroadcastTable(c.env.INDEX);
		const rows = await table.list({
			...(status === undefined ? {} : { statuses: status }),
			...(from === undefined ? {} : { fromMs: from }),
			...(until === undefined ? {} : { untilMs: until }),
			...(words === undefined ? {} : { words }),
			...(cursor === undefined ? {} : { after: readCursor(cursor, questions) }),
			order,
			// One more than asked for tells whether there is another page.
			limit: limit + 1,
		});
		const page = rows.slice(0, limit);
		const listed = page.map((row) => ({ row, answer: listedBroadcastSchema.safeParse(listedBroadcast(row)).data }));
		const nowMs = Date.now();
		const doubted = listed
			.filter(({ row, answer }) => answer === undefined || isDoubtful(refreshOf(row), nowMs))
			.slice(0, MAX_CHECKS_A_PAGE);
		for (const { row } of doubted) {
			c.executionCtx.waitUntil(
				putRowRight(row, { table, broadcast: (id) => c.env.BROADCAST.getByName(id) }, nowMs).catch((error: unknown) =>
					log.warn("a row that may be wrong could not be checked", { broadcastId: row.id, error }),
				),
			);
		}
		const last = rows.length > limit ? page.at(-1) : undefined;
		const lastAtMs = order === "start" ? last?.time_ms : last?.created_at_ms;
		return c.json(
			{
				// A row that makes no sense is left out until it is put right.
				broadcasts: listed.map(({ answer }) => answer).filter((answer) => answer !== undefined),
				...(last && lastAtMs !== undefined && { nextCursor: writeCursor({ atMs: lastAtMs, id: last.id }, questions) }),
			},
			200,
		);
	},
);

function questionsOf({ status, from, until, q, order }: z.infer<typeof listQuerySchema>): ListQuestions {
	return {
		order,
		...(status === undefined ? {} : { status: status.join(",") }),
		...(from === undefined ? {} : { from: dateTime(from) }),
		...(until === undefined ? {} : { until: dateTime(until) }),
		...(q === undefined ? {} : { q }),
	};
}

function listedBroadcast(row: IndexRow): z.input<typeof listedBroadcastSchema> | undefined {
	return {
		id: row.id,
		title: row.title,
		...(row.description === "" ? {} : { description: row.description }),
		hostName: row.host_name,
		status: row.status,
		layout: row.layout as z.input<typeof listedBroadcastSchema>["layout"],
		createdAt: dateTime(row.created_at_ms),
		...(row.scheduled_start_ms === null ? {} : { scheduledStartTime: dateTime(row.scheduled_start_ms) }),
		...(row.started_at_ms === null ? {} : { startedAt: dateTime(row.started_at_ms) }),
		...(row.ended_at_ms === null ? {} : { endedAt: dateTime(row.ended_at_ms) }),
	};
}

function refreshOf({ status, refreshed_at_ms }: IndexRow) {
	return { status, refreshedAtMs: refreshed_at_ms };
}

/** What is no time at all becomes text that the schema refuses. */
function dateTime(timeMs: number): string {
	const date = new Date(timeMs);
	return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}
