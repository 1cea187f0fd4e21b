import { z } from "zod";
import type { SqlPort } from "./sql-port.ts";

/** One broadcast's list: some 40 MB of the object's 10 GB, and a thousand batches to send. */
export const MAX_REMINDERS = 100_000;

/** `reminded_for_ms`: the start it was reminded of, 0 before; put off, a broadcast is reminded of once more. */
const TABLE = `
	CREATE TABLE IF NOT EXISTS reminders (
		id TEXT PRIMARY KEY,
		sealed_contact TEXT NOT NULL,
		added_at_ms INTEGER NOT NULL,
		reminded_for_ms INTEGER NOT NULL DEFAULT 0
	) WITHOUT ROWID`;
const TABLE_INDEX = "CREATE INDEX IF NOT EXISTS reminders_by_start ON reminders (reminded_for_ms)";

const rowSchema = z.object({ id: z.string(), sealed_contact: z.string() });
const countSchema = z.object({ count: z.number() });

export interface SealedReminder {
	readonly id: string;
	readonly sealedContact: string;
}

/** Who wants to be told before a broadcast starts, in a table of its object. What it holds of them is sealed. */
export class ReminderList {
	readonly #sql: SqlPort;
	#hasTable = false;
	/** Counting rows reads them all, so they are counted once. */
	#count: number | undefined;

	constructor(sql: SqlPort) {
		this.#sql = sql;
	}

	get count(): number {
		this.#count ??= countSchema.parse(this.#rows("SELECT COUNT(*) AS count FROM reminders")[0]).count;
		return this.#count;
	}

	has(id: string): boolean {
		return this.#rows("SELECT id FROM reminders WHERE id = ?", id).length > 0;
	}

	/** Adds one that is not on the list yet; whether there is a place for it was asked before. */
	add({ id, sealedContact }: SealedReminder, nowMs: number): void {
		const { count } = this;
		const added = this.#rows(
			"INSERT INTO reminders (id, sealed_contact, added_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
			id,
			sealedContact,
			nowMs,
		);
		this.#count = count + added.length;
	}

	remove(id: string): void {
		const { count } = this;
		this.#count = count - this.#rows("DELETE FROM reminders WHERE id = ? RETURNING id", id).length;
	}

	/** At most `limit` of those who were not reminded of the start at that time. */
	notReminded(startMs: number, limit: number): SealedReminder[] {
		// Two ranges, each found by the index however many were reminded already.
		const query = (range: string) =>
			`SELECT id, sealed_contact FROM reminders WHERE reminded_for_ms ${range} ? LIMIT ?`;
		const before = this.#rows(query("<"), startMs, limit);
		const rows =
			before.length < limit ? [...before, ...this.#rows(query(">"), startMs, limit - before.length)] : before;
		return rows.map((row) => {
			const { id, sealed_contact } = rowSchema.parse(row);
			return { id, sealedContact: sealed_contact };
		});
	}

	reminded(ids: readonly string[], startMs: number): void {
		for (const id of ids) {
			this.#rows("UPDATE reminders SET reminded_for_ms = ? WHERE id = ?", startMs, id);
		}
	}

	/** Takes everyone off. */
	clear(): void {
		this.#rows("DELETE FROM reminders");
		this.#count = 0;
	}

	/** Its storage was deleted, its table with it. */
	storageDeleted(): void {
		this.#hasTable = false;
		this.#count = undefined;
	}

	#rows(query: string, ...bindings: (string | number)[]): Record<string, unknown>[] {
		if (!this.#hasTable) {
			this.#sql.exec(TABLE).toArray();
			this.#sql.exec(TABLE_INDEX).toArray();
			this.#hasTable = true;
		}
		return this.#sql.exec(query, ...bindings).toArray();
	}
}
