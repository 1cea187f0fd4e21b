import { z } from "zod";
import type { SqlPort } from "../../audience/sql-port.ts";
import type { Actor } from "../../protocol/broadcast-commands.ts";
import {
	BROADCAST_EVENT_TYPES,
	type BroadcastEvent,
	type BroadcastEventType,
	type EventDraft,
	type EventValue,
} from "../../protocol/broadcast-events.ts";
import type { EventTables } from "./event-tables.ts";

/** A busy show makes some hundreds; 10,000 are some 3 MB of the object's 10 GB. */
export const MAX_KEPT_EVENTS = 10_000;
/** Long enough to look into a show that went wrong last month. */
export const KEEP_EVENTS_MS = 30 * 24 * 3_600_000;

const rowSchema = z.object({
	sequence: z.number(),
	at_ms: z.number(),
	type: z.enum(BROADCAST_EVENT_TYPES),
	actor: z.string(),
	request_id: z.string().nullable(),
	version: z.number(),
	data: z.string(),
	sealed: z.string().nullable(),
});
const placeSchema = z.object({ sequence: z.number(), at_ms: z.number() });

export interface StoredEvent {
	readonly sequence: number;
	readonly atMs: number;
	readonly type: BroadcastEventType;
	readonly actor: Actor;
	readonly requestId?: string;
	readonly version: number;
	readonly data: Readonly<Record<string, EventValue>>;
	/** See `EventDraft`. */
	readonly sealed?: string;
}

export interface EventRange {
	/** Events with a higher sequence number … */
	readonly after: number;
	/** … up to this one. */
	readonly upTo?: number;
	/** All when absent. */
	readonly types?: readonly BroadcastEventType[] | undefined;
}

/** Everything that happened to one broadcast, in its object's tables. */
export class Outbox {
	readonly #sql: SqlPort;
	readonly #tables: EventTables;

	constructor(sql: SqlPort, tables: EventTables) {
		this.#sql = sql;
		this.#tables = tables;
	}

	/** Of the newest event; 0 before the first. The newest is always kept, so that no number is given twice. */
	get newest(): number {
		if (!this.#tables.exist()) {
			return 0;
		}
		const [row] = this.#sql.exec("SELECT sequence, at_ms FROM events ORDER BY sequence DESC LIMIT 1").toArray();
		return row === undefined ? 0 : placeSchema.parse(row).sequence;
	}

	/** Synchronous: what the caller stores in the same turn is stored with it, or neither is. */
	append(drafts: readonly EventDraft[], version: number, atMs: number): void {
		this.#tables.create();
		for (const { type, data, actor, requestId, sealed } of drafts) {
			this.#sql
				.exec(
					"INSERT INTO events (at_ms, type, actor, request_id, version, data, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)",
					atMs,
					type,
					actor,
					requestId ?? null,
					version,
					JSON.stringify(data),
					sealed ?? null,
				)
				.toArray();
		}
	}

	/** The first of that range, at most `limit`. */
	read(range: EventRange, limit: number): StoredEvent[] {
		if (!this.#tables.exist()) {
			return [];
		}
		const { where, bindings } = condition(range);
		return this.#sql
			.exec(`SELECT * FROM events WHERE ${where} ORDER BY sequence LIMIT ?`, ...bindings, limit)
			.toArray()
			.map(storedEvent);
	}

	count(range: EventRange): number {
		if (!this.#tables.exist()) {
			return 0;
		}
		const { where, bindings } = condition(range);
		const [row] = this.#sql
			.exec(`SELECT COUNT(*) AS sequence, 0 AS at_ms FROM events WHERE ${where}`, ...bindings)
			.toArray();
		return placeSchema.parse(row).sequence;
	}

	/** Forgets what is too old or too much, but nothing that comes after `settled`, which some webhook is still to get. */
	prune(settled: number, nowMs: number): void {
		const [oldest] = this.#sql.exec("SELECT sequence, at_ms FROM events ORDER BY sequence LIMIT 1").toArray();
		if (oldest === undefined) {
			return;
		}
		const { newest } = this;
		const { sequence, at_ms } = placeSchema.parse(oldest);
		const excess = newest - MAX_KEPT_EVENTS;
		const isOld = nowMs - at_ms > KEEP_EVENTS_MS;
		if (sequence > settled || (sequence > excess && !isOld)) {
			return;
		}
		const [young] = this.#sql
			.exec("SELECT sequence, at_ms FROM events WHERE at_ms >= ? ORDER BY sequence LIMIT 1", nowMs - KEEP_EVENTS_MS)
			.toArray();
		const aged = young === undefined ? newest : placeSchema.parse(young).sequence - 1;
		const last = Math.min(Math.max(excess, aged), settled, newest - 1);
		this.#sql.exec("DELETE FROM events WHERE sequence <= ?", last).toArray();
	}
}

/** An event as it leaves the broadcast, without what is for webhooks only. */
export function shownEvent(broadcastId: string, event: StoredEvent): BroadcastEvent {
	const { sequence, type, atMs, version, actor, requestId, data } = event;
	return {
		broadcastId,
		sequence,
		type,
		timestamp: new Date(atMs).toISOString(),
		version,
		actor,
		...(requestId === undefined ? {} : { requestId }),
		data,
	};
}

function condition({ after, upTo, types }: EventRange): { where: string; bindings: (string | number)[] } {
	const marks = types?.map(() => "?").join(", ");
	return {
		where: [
			"sequence > ?",
			...(upTo === undefined ? [] : ["sequence <= ?"]),
			...(marks === undefined ? [] : [`type IN (${marks})`]),
		].join(" AND "),
		bindings: [after, ...(upTo === undefined ? [] : [upTo]), ...(types ?? [])],
	};
}

function storedEvent(row: Record<string, unknown>): StoredEvent {
	const { sequence, at_ms, type, actor, request_id, version, data, sealed } = rowSchema.parse(row);
	return {
		sequence,
		atMs: at_ms,
		type,
		actor: actor as Actor,
		...(request_id === null ? {} : { requestId: request_id }),
		version,
		data: JSON.parse(data) as Record<string, EventValue>,
		...(sealed === null ? {} : { sealed }),
	};
}
