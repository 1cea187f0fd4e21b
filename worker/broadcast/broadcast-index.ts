import type { BroadcastRecord } from "./broadcast-record.ts";
import type { BroadcastStatus } from "./lifecycle.ts";
import type { BroadcastIndex } from "./work-runner.ts";

export interface IndexRow {
	readonly id: string;
	readonly title: string;
	readonly status: BroadcastStatus;
	readonly layout: string;
	readonly created_at_ms: number;
	readonly started_at_ms: number | null;
	readonly ended_at_ms: number | null;
}

/** Where a page of the list ended: the next one begins with what is older. */
export interface IndexPosition {
	readonly createdAtMs: number;
	readonly id: string;
}

/** The list of broadcasts in D1. Each row is written by its Broadcast object, the source of truth. */
export class BroadcastTable implements BroadcastIndex {
	readonly #database: D1Database;

	constructor(database: D1Database) {
		this.#database = database;
	}

	async put(record: BroadcastRecord): Promise<void> {
		await this.#database
			.prepare(
				`INSERT INTO broadcasts (id, title, status, layout, created_at_ms, started_at_ms, ended_at_ms)
				VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
				ON CONFLICT (id) DO UPDATE SET title = ?2, status = ?3, layout = ?4, started_at_ms = ?6, ended_at_ms = ?7`,
			)
			.bind(
				record.id,
				record.title,
				record.status,
				record.layout,
				record.createdAtMs,
				record.startedAtMs ?? null,
				record.endedAtMs ?? null,
			)
			.run();
	}

	async remove(broadcastId: string): Promise<void> {
		await this.#database.prepare("DELETE FROM broadcasts WHERE id = ?").bind(broadcastId).run();
	}

	/** Newest first, at most `limit` rows. */
	async list(query: { status?: BroadcastStatus; after?: IndexPosition; limit: number }): Promise<IndexRow[]> {
		const { status, after, limit } = query;
		const conditions = [
			...(status === undefined ? [] : ["status = ?"]),
			...(after === undefined ? [] : ["(created_at_ms, id) < (?, ?)"]),
		];
		const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
		const values = [
			...(status === undefined ? [] : [status]),
			...(after === undefined ? [] : [after.createdAtMs, after.id]),
		];
		const { results } = await this.#database
			.prepare(
				`SELECT id, title, status, layout, created_at_ms, started_at_ms, ended_at_ms FROM broadcasts ${where}
				ORDER BY created_at_ms DESC, id DESC LIMIT ?`,
			)
			.bind(...values, limit)
			.all<IndexRow>();
		return results;
	}
}
