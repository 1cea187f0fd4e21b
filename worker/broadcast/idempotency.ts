import { z } from "zod";
import type { SqlPort } from "../audience/sql-port.ts";
import type { RepeatableRequest, RequestStanding } from "../protocol/idempotency.ts";

/** Whoever has not asked again by then has given up. */
export const ANSWER_KEPT_MS = 24 * 3_600_000;
/** Longer than any request takes; one that has not finished by then died with its Worker. */
export const REQUEST_DIES_AFTER_MS = 60_000;
/** A broadcast's commands in a day by those who name them, with room; at some KB each less than a MB. */
export const MAX_REMEMBERED = 200;

/** `sealed_answer` is NULL until there is one. `owner_is_gone`: the broadcast that the request created was deleted. */
const TABLE = `
	CREATE TABLE IF NOT EXISTS remembered_requests (
		request_key TEXT PRIMARY KEY,
		fingerprint TEXT NOT NULL,
		attempt TEXT NOT NULL,
		creates INTEGER NOT NULL,
		at_ms INTEGER NOT NULL,
		sealed_answer TEXT,
		owner_is_gone INTEGER NOT NULL DEFAULT 0
	) WITHOUT ROWID`;

const rowSchema = z.object({
	request_key: z.string(),
	fingerprint: z.string(),
	attempt: z.string(),
	creates: z.number(),
	at_ms: z.number(),
	sealed_answer: z.string().nullable(),
	owner_is_gone: z.number(),
});
type Row = z.infer<typeof rowSchema>;

const countSchema = z.object({ count: z.number() });

/** The requests that named themselves (`Idempotency-Key`), with their answers, in a table of the broadcast's object. */
export class RememberedRequests {
	readonly #sql: SqlPort;
	#hasTable = false;

	constructor(sql: SqlPort) {
		this.#sql = sql;
	}

	/** @param exists whether there is a broadcast */
	begin(request: RepeatableRequest, exists: boolean, nowMs: number): RequestStanding {
		const known = this.#row(request.requestKey);
		if (known !== undefined && !isOver(known, nowMs)) {
			return standingOf(known, request);
		}
		const isTaken = request.creates && (exists || known?.owner_is_gone === 1);
		if (isTaken) {
			// A request that died may have created it, and has given no answer; one that was answered is to create another.
			return known === undefined || known.sealed_answer !== null || known.owner_is_gone === 1
				? { state: "used" }
				: this.#again(known, request, nowMs);
		}
		this.#forgetOld(nowMs);
		if (!request.creates && !this.#hasRoom()) {
			return { state: "full" };
		}
		this.#write(request, nowMs);
		return { state: "first" };
	}

	/** A try whose place another has taken meanwhile changes nothing. */
	finish({ requestKey, attempt }: RepeatableRequest, sealedAnswer: string | undefined, nowMs: number): void {
		if (sealedAnswer === undefined) {
			this.#rows("DELETE FROM remembered_requests WHERE request_key = ? AND attempt = ?", requestKey, attempt);
			return;
		}
		this.#rows(
			"UPDATE remembered_requests SET sealed_answer = ?, at_ms = ? WHERE request_key = ? AND attempt = ?",
			sealedAnswer,
			nowMs,
			requestKey,
			attempt,
		);
	}

	/** The broadcast was deleted. What created it stays remembered, lest its repetition create it again, with keys and tokens of before. */
	ownerDeleted(): void {
		this.#rows("DELETE FROM remembered_requests WHERE creates = 0");
		this.#rows("UPDATE remembered_requests SET owner_is_gone = 1");
	}

	creation(): Row | undefined {
		const [row] = this.#rows("SELECT * FROM remembered_requests WHERE creates = 1");
		return row === undefined ? undefined : rowSchema.parse(row);
	}

	/** Its storage was deleted, its table with it. @param creation as it was before */
	storageDeleted(creation: Row | undefined): void {
		this.#hasTable = false;
		if (creation !== undefined) {
			this.#rows(
				`INSERT INTO remembered_requests (request_key, fingerprint, attempt, creates, at_ms, sealed_answer, owner_is_gone)
					VALUES (?, ?, ?, ?, ?, ?, ?)`,
				creation.request_key,
				creation.fingerprint,
				creation.attempt,
				creation.creates,
				creation.at_ms,
				creation.sealed_answer,
				creation.owner_is_gone,
			);
		}
	}

	#again(known: Row, request: RepeatableRequest, nowMs: number): RequestStanding {
		if (known.fingerprint !== request.fingerprint) {
			return { state: "mismatch" };
		}
		this.#write(request, nowMs);
		return { state: "first" };
	}

	#write({ requestKey, fingerprint, attempt, creates }: RepeatableRequest, nowMs: number): void {
		this.#rows(
			`INSERT OR REPLACE INTO remembered_requests (request_key, fingerprint, attempt, creates, at_ms)
				VALUES (?, ?, ?, ?, ?)`,
			requestKey,
			fingerprint,
			attempt,
			creates ? 1 : 0,
			nowMs,
		);
	}

	#forgetOld(nowMs: number): void {
		this.#rows(
			`DELETE FROM remembered_requests WHERE creates = 0
				AND (at_ms <= ? OR (sealed_answer IS NULL AND at_ms <= ?))`,
			nowMs - ANSWER_KEPT_MS,
			nowMs - REQUEST_DIES_AFTER_MS,
		);
	}

	/** Makes room by the oldest answer; those that are being carried out stay. */
	#hasRoom(): boolean {
		const count = () =>
			countSchema.parse(this.#rows("SELECT COUNT(*) AS count FROM remembered_requests WHERE creates = 0")[0]).count;
		if (count() >= MAX_REMEMBERED) {
			this.#rows(
				`DELETE FROM remembered_requests WHERE request_key = (SELECT request_key FROM remembered_requests
					WHERE creates = 0 AND sealed_answer IS NOT NULL ORDER BY at_ms LIMIT 1)`,
			);
		}
		return count() < MAX_REMEMBERED;
	}

	#row(requestKey: string): Row | undefined {
		const [row] = this.#rows("SELECT * FROM remembered_requests WHERE request_key = ?", requestKey);
		return row === undefined ? undefined : rowSchema.parse(row);
	}

	#rows(query: string, ...bindings: (string | number | null)[]): Record<string, unknown>[] {
		if (!this.#hasTable) {
			this.#sql.exec(TABLE).toArray();
			this.#hasTable = true;
		}
		return this.#sql.exec(query, ...bindings).toArray();
	}
}

function standingOf(known: Row, { fingerprint }: RepeatableRequest): RequestStanding {
	if (known.fingerprint !== fingerprint) {
		return { state: "mismatch" };
	}
	return known.sealed_answer === null ? { state: "running" } : { state: "answered", sealedAnswer: known.sealed_answer };
}

function isOver({ at_ms, sealed_answer }: Row, nowMs: number): boolean {
	return nowMs >= at_ms + (sealed_answer === null ? REQUEST_DIES_AFTER_MS : ANSWER_KEPT_MS);
}
