import type { SqlPort } from "../../audience/sql-port.ts";

/** `sealed`: what only webhooks are given of it. The newest event is never deleted, so that numbers go on rising. */
const EVENTS = `
	CREATE TABLE IF NOT EXISTS events (
		sequence INTEGER PRIMARY KEY,
		at_ms INTEGER NOT NULL,
		type TEXT NOT NULL,
		actor TEXT NOT NULL,
		request_id TEXT,
		version INTEGER NOT NULL,
		data TEXT NOT NULL,
		sealed TEXT
	)`;
/** A copy of what the record holds of a webhook, since its last deliveries outlive the record, and how far they have come. */
const WEBHOOKS = `
	CREATE TABLE IF NOT EXISTS webhooks (
		webhook_id TEXT PRIMARY KEY,
		broadcast_id TEXT NOT NULL,
		url TEXT NOT NULL,
		sealed_secret TEXT NOT NULL,
		wanted TEXT NOT NULL,
		cursor INTEGER NOT NULL,
		failures INTEGER NOT NULL DEFAULT 0,
		next_attempt_ms INTEGER,
		last_error TEXT,
		replay_next INTEGER,
		replay_to INTEGER,
		replay_asked_ms INTEGER
	) WITHOUT ROWID`;
const DEAD_LETTERS = `
	CREATE TABLE IF NOT EXISTS dead_letters (
		webhook_id TEXT NOT NULL,
		sequence INTEGER NOT NULL,
		type TEXT NOT NULL,
		event_at_ms INTEGER NOT NULL,
		gave_up_at_ms INTEGER NOT NULL,
		error TEXT NOT NULL,
		PRIMARY KEY (webhook_id, sequence)
	) WITHOUT ROWID`;

/** Made with the first event: an object without a broadcast writes nothing. */
export class EventTables {
	readonly #sql: SqlPort;
	#exist: boolean | undefined;

	constructor(sql: SqlPort) {
		this.#sql = sql;
	}

	exist(): boolean {
		this.#exist ??=
			this.#sql.exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'dead_letters'").toArray().length >
			0;
		return this.#exist;
	}

	create(): void {
		if (!this.exist()) {
			for (const table of [EVENTS, WEBHOOKS, DEAD_LETTERS]) {
				this.#sql.exec(table).toArray();
			}
			this.#exist = true;
		}
	}

	/** All storage of the object was deleted. */
	storageDeleted(): void {
		this.#exist = undefined;
	}
}
