import { z } from "zod";
import type { SqlPort } from "./sql-port.ts";
import type { CountedShard } from "./viewer-count.ts";

const TABLE = `
	CREATE TABLE IF NOT EXISTS audience_shards (
		shard INTEGER PRIMARY KEY,
		count INTEGER NOT NULL,
		counted_at_ms INTEGER NOT NULL
	)`;

const rowSchema = z.object({ shard: z.number(), count: z.number(), counted_at_ms: z.number() });

/** What the shards counted, kept in a table of the broadcast's object: it sleeps between their counts. */
export class ShardTable {
	readonly #sql: SqlPort;

	constructor(sql: SqlPort) {
		this.#sql = sql;
	}

	/** A table that is not there yet is made. */
	read(): CountedShard[] {
		this.#sql.exec(TABLE).toArray();
		const rows = this.#sql.exec("SELECT shard, count, counted_at_ms FROM audience_shards").toArray();
		return rows.map((row) => {
			const { shard, count, counted_at_ms } = rowSchema.parse(row);
			return { shard, count, countedAtMs: counted_at_ms };
		});
	}

	write({ shard, count, countedAtMs }: CountedShard): void {
		this.#sql
			.exec(
				"INSERT OR REPLACE INTO audience_shards (shard, count, counted_at_ms) VALUES (?, ?, ?)",
				shard,
				count,
				countedAtMs,
			)
			.toArray();
	}
}
