import { BROADCAST_STATUSES, type BroadcastStatus } from "../protocol/broadcast-commands.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import { entryOfRecord, type IndexEntry } from "./index-entry.ts";
import type { IndexQuery, IndexRow } from "./index-query.ts";
import { isOver } from "./lifecycle.ts";
import type { BroadcastIndex } from "./work-runner.ts";

const COLUMNS = `id, title, description, host_name, status, layout, created_at_ms, scheduled_start_ms, started_at_ms, ended_at_ms,
	version, refreshed_at_ms, time_ms`;

/** Only what is as new replaces a row: what was written first may arrive last. */
const PUT = `INSERT INTO broadcasts
		(id, title, description, host_name, status, layout, created_at_ms, scheduled_start_ms, started_at_ms, ended_at_ms, version, refreshed_at_ms)
	VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
	ON CONFLICT (id) DO UPDATE SET title = ?2, description = ?3, host_name = ?4, status = ?5, layout = ?6, created_at_ms = ?7,
		scheduled_start_ms = ?8, started_at_ms = ?9, ended_at_ms = ?10, version = ?11, refreshed_at_ms = ?12
	WHERE version <= ?11`;

/** The list of broadcasts in D1. Each row is written by its Broadcast object, the source of truth. */
export class BroadcastTable implements BroadcastIndex {
	readonly #database: D1Database;

	constructor(database: D1Database) {
		this.#database = database;
	}

	/** A row of a newer version stays. */
	async put(record: BroadcastRecord, nowMs: number): Promise<void> {
		await this.#write(PUT, entryOfRecord(record), nowMs);
	}

	/** Puts right a row that was `doubted`, whatever version it has, unless its object has written it meanwhile. */
	async putRight(entry: IndexEntry, doubted: IndexRow, nowMs: number): Promise<void> {
		const { version, refreshed_at_ms } = doubted;
		await this.#write(`${PUT} OR (version = ?13 AND refreshed_at_ms = ?14)`, entry, nowMs, [version, refreshed_at_ms]);
	}

	async remove(broadcastId: string): Promise<void> {
		await this.#database.prepare("DELETE FROM broadcasts WHERE id = ?").bind(broadcastId).run();
	}

	/** At most `limit` rows, in order. Rows that do not change come once, whatever is added or removed between pages. */
	async list(query: IndexQuery): Promise<IndexRow[]> {
		const { statuses, fromMs, untilMs, words, order, after, limit } = query;
		const byTime = order === "start";
		const conditions: { readonly sql: string; readonly values: readonly (string | number)[] }[] = [];
		if (statuses !== undefined) {
			conditions.push({ sql: `status IN (${statuses.map(() => "?").join(", ")})`, values: statuses });
		}
		if (fromMs !== undefined) {
			conditions.push({ sql: "time_ms >= ?", values: [fromMs] });
		}
		if (untilMs !== undefined) {
			conditions.push({ sql: "time_ms < ?", values: [untilMs] });
		}
		if (words !== undefined) {
			conditions.push({
				sql: "number IN (SELECT rowid FROM broadcast_words WHERE broadcast_words MATCH ?)",
				values: [words],
			});
		}
		if (after !== undefined) {
			conditions.push({
				sql: byTime ? "(time_ms, id) > (?, ?)" : "(created_at_ms, id) < (?, ?)",
				values: [after.atMs, after.id],
			});
		}
		const where = conditions.length === 0 ? "" : `WHERE ${conditions.map(({ sql }) => sql).join(" AND ")}`;
		const { results } = await this.#database
			.prepare(
				`SELECT ${COLUMNS} FROM broadcasts ${where}
				ORDER BY ${byTime ? "time_ms, id" : "created_at_ms DESC, id DESC"} LIMIT ?`,
			)
			.bind(...conditions.flatMap(({ values }) => values), limit)
			.all<IndexRow>();
		return results;
	}

	/** How many broadcasts there are in each status. */
	async counts(): Promise<Readonly<Record<BroadcastStatus, number>>> {
		const { results } = await this.#database
			.prepare("SELECT status, COUNT(*) AS count FROM broadcasts GROUP BY status")
			.all<{ status: string; count: number }>();
		const count = (status: BroadcastStatus) => results.find((row) => row.status === status)?.count ?? 0;
		return Object.fromEntries(BROADCAST_STATUSES.map((status) => [status, count(status)])) as Record<
			BroadcastStatus,
			number
		>;
	}

	/** How many are not over. */
	async countOpen(): Promise<number> {
		const counts = await this.counts();
		return BROADCAST_STATUSES.filter((status) => !isOver(status)).reduce((sum, status) => sum + counts[status], 0);
	}

	async #write(sql: string, entry: IndexEntry, nowMs: number, more: readonly number[] = []): Promise<void> {
		await this.#database
			.prepare(sql)
			.bind(
				entry.id,
				entry.title,
				entry.description,
				entry.hostName,
				entry.status,
				entry.layout,
				entry.createdAtMs,
				entry.scheduledStartMs ?? null,
				entry.startedAtMs ?? null,
				entry.endedAtMs ?? null,
				entry.version,
				nowMs,
				...more,
			)
			.run();
	}
}
