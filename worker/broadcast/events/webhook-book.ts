import { z } from "zod";
import type { SqlPort, SqlValue } from "../../audience/sql-port.ts";
import type { NewWebhook } from "../../protocol/broadcast-commands.ts";
import {
	BROADCAST_EVENT_TYPES,
	type BroadcastEventType,
	type DeadLetter,
	isWanted,
} from "../../protocol/broadcast-events.ts";
import type { EventTables } from "./event-tables.ts";
import { type DeliveryState, newDeliveryState } from "./webhook-schedule.ts";

/** More are a receiver that is gone for good; the newest are kept. */
export const MAX_DEAD_LETTERS = 1_000;

/** A webhook and how far its deliveries have come. */
export interface WebhookRow {
	readonly webhookId: string;
	readonly broadcastId: string;
	readonly url: string;
	readonly sealedSecret: string;
	readonly wanted: readonly string[];
	readonly state: DeliveryState;
}

const rowSchema = z.object({
	webhook_id: z.string(),
	broadcast_id: z.string(),
	url: z.string(),
	sealed_secret: z.string(),
	wanted: z.string(),
	cursor: z.number(),
	failures: z.number(),
	next_attempt_ms: z.number().nullable(),
	last_error: z.string().nullable(),
	replay_next: z.number().nullable(),
	replay_to: z.number().nullable(),
	replay_asked_ms: z.number().nullable(),
});
const deadLetterSchema = z.object({
	sequence: z.number(),
	type: z.string(),
	event_at_ms: z.number(),
	gave_up_at_ms: z.number(),
	error: z.string(),
});
const countSchema = z.object({ count: z.number() });

/** The webhooks of one broadcast, in its object's tables. */
export class WebhookBook {
	readonly #sql: SqlPort;
	readonly #tables: EventTables;

	constructor(sql: SqlPort, tables: EventTables) {
		this.#sql = sql;
		this.#tables = tables;
	}

	all(): WebhookRow[] {
		return this.#rows("SELECT * FROM webhooks ORDER BY webhook_id").map(webhookRow);
	}

	find(webhookId: string): WebhookRow | undefined {
		const [row] = this.#rows("SELECT * FROM webhooks WHERE webhook_id = ?", webhookId);
		return row === undefined ? undefined : webhookRow(row);
	}

	/** @param cursor it gets the events after that one */
	add(broadcastId: string, { webhookId, url, sealedSecret, events }: NewWebhook, cursor: number): void {
		this.#tables.create();
		this.#rows(
			"INSERT INTO webhooks (webhook_id, broadcast_id, url, sealed_secret, wanted, cursor) VALUES (?, ?, ?, ?, ?, ?)",
			webhookId,
			broadcastId,
			url,
			sealedSecret,
			JSON.stringify(events),
			cursor,
		);
		this.save(webhookId, newDeliveryState(cursor));
	}

	remove(webhookId: string): void {
		this.#rows("DELETE FROM webhooks WHERE webhook_id = ?", webhookId);
		this.#rows("DELETE FROM dead_letters WHERE webhook_id = ?", webhookId);
	}

	/** Of one that was removed meanwhile nothing is written. */
	save(webhookId: string, { cursor, failures, nextAttemptMs, lastError, replay }: DeliveryState): void {
		this.#rows(
			`UPDATE webhooks SET cursor = ?, failures = ?, next_attempt_ms = ?, last_error = ?,
				replay_next = ?, replay_to = ?, replay_asked_ms = ? WHERE webhook_id = ?`,
			cursor,
			failures,
			nextAttemptMs ?? null,
			lastError ?? null,
			replay?.next ?? null,
			replay?.to ?? null,
			replay?.askedAtMs ?? null,
			webhookId,
		);
	}

	bury(webhookId: string, { sequence, type, eventAtMs, gaveUpAtMs, error }: DeadLetter): void {
		this.#rows(
			"INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?)",
			webhookId,
			sequence,
			type,
			eventAtMs,
			gaveUpAtMs,
			error,
		);
		const excess = this.countDeadLetters(webhookId) - MAX_DEAD_LETTERS;
		if (excess > 0) {
			this.#rows(
				`DELETE FROM dead_letters WHERE webhook_id = ?1 AND sequence IN
					(SELECT sequence FROM dead_letters WHERE webhook_id = ?1 ORDER BY sequence LIMIT ?2)`,
				webhookId,
				excess,
			);
		}
	}

	/** It was delivered after all. */
	exhume(webhookId: string, sequence: number): void {
		this.#rows("DELETE FROM dead_letters WHERE webhook_id = ? AND sequence = ?", webhookId, sequence);
	}

	deadLetters(webhookId: string): DeadLetter[] {
		return this.#rows("SELECT * FROM dead_letters WHERE webhook_id = ? ORDER BY sequence", webhookId).map((row) => {
			const { sequence, type, event_at_ms, gave_up_at_ms, error } = deadLetterSchema.parse(row);
			return { sequence, type, eventAtMs: event_at_ms, gaveUpAtMs: gave_up_at_ms, error };
		});
	}

	countDeadLetters(webhookId: string): number {
		const [row] = this.#rows("SELECT COUNT(*) AS count FROM dead_letters WHERE webhook_id = ?", webhookId);
		return row === undefined ? 0 : countSchema.parse(row).count;
	}

	#rows(query: string, ...bindings: SqlValue[]): Record<string, unknown>[] {
		return this.#tables.exist() ? this.#sql.exec(query, ...bindings).toArray() : [];
	}
}

/** The types that a webhook is sent; `undefined` for all. */
export function wantedTypes({ wanted }: Pick<WebhookRow, "wanted">): BroadcastEventType[] | undefined {
	return wanted.length === 0 ? undefined : BROADCAST_EVENT_TYPES.filter((type) => isWanted(type, wanted));
}

function webhookRow(row: Record<string, unknown>): WebhookRow {
	const parsed = rowSchema.parse(row);
	const { next_attempt_ms, last_error, replay_next, replay_to, replay_asked_ms } = parsed;
	const hasReplay = replay_next !== null && replay_to !== null && replay_asked_ms !== null;
	return {
		webhookId: parsed.webhook_id,
		broadcastId: parsed.broadcast_id,
		url: parsed.url,
		sealedSecret: parsed.sealed_secret,
		wanted: z.array(z.string()).parse(JSON.parse(parsed.wanted)),
		state: {
			cursor: parsed.cursor,
			failures: parsed.failures,
			...(next_attempt_ms === null ? {} : { nextAttemptMs: next_attempt_ms }),
			...(last_error === null ? {} : { lastError: last_error }),
			...(hasReplay ? { replay: { next: replay_next, to: replay_to, askedAtMs: replay_asked_ms } } : {}),
		},
	};
}
