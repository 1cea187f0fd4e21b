import type { SqlPort } from "../../audience/sql-port.ts";
import type { SealingEnv } from "../../auth/sealing.ts";
import type {
	BroadcastEventsRpc,
	DeadLetter,
	EventDraft,
	LogPage,
	LogQuery,
	ReplayRange,
	WebhookStatus,
} from "../../protocol/broadcast-events.ts";
import { done, type Outcome, refused } from "../../protocol/problem.ts";
import type { BroadcastRecord } from "../broadcast-record.ts";
import type { ChangeCause } from "../record-keeper.ts";
import { EventStreams, type StreamReader } from "./event-streams.ts";
import { EventTables } from "./event-tables.ts";
import { eventsBetween } from "./events-between.ts";
import { Outbox, shownEvent } from "./outbox.ts";
import { WebhookBook, type WebhookRow, wantedTypes } from "./webhook-book.ts";
import { WebhookCourier } from "./webhook-courier.ts";
import { type DeliveryResult, deliver } from "./webhook-delivery.ts";
import { type DeploymentSecretEnv, deliveryBody, deliverySecrets } from "./webhook-message.ts";
import { deliveryStep, rangeOf, replaying } from "./webhook-schedule.ts";

export interface EventDeskPorts {
	/** The broadcast's, while it exists. */
	record(): BroadcastRecord | undefined;
	readonly sql: SqlPort;
	readonly env: SealingEnv & DeploymentSecretEnv;
	readonly fetch: typeof fetch;
	/** See `DeliveryPorts`. */
	after(ms: number, action: () => void): () => void;
	/** Takes a webhook off the record, since its receiver wants no more. Does nothing where the broadcast is no more. */
	removeWebhook(webhookId: string): Promise<void>;
	nowMs(): number;
	/** In [0, 1), for jitter. */
	random(): number;
	/** A delivery could not be made up; the error holds no secret. */
	report(message: string, error: unknown): void;
}

/** A broadcast's dealings with those who follow it: everything that happens is stored, sent to its webhooks, streamed, and read back. */
export class EventDesk implements BroadcastEventsRpc {
	readonly #ports: EventDeskPorts;
	readonly #tables: EventTables;
	readonly #outbox: Outbox;
	readonly #book: WebhookBook;
	readonly #courier: WebhookCourier;
	readonly streams: EventStreams;
	/** Still known when the broadcast is no more. */
	#broadcastId = "";

	constructor(ports: EventDeskPorts) {
		this.#ports = ports;
		this.#tables = new EventTables(ports.sql);
		this.#outbox = new Outbox(ports.sql, this.#tables);
		this.#book = new WebhookBook(ports.sql, this.#tables);
		this.#courier = new WebhookCourier({
			outbox: this.#outbox,
			book: this.#book,
			send: (webhook, event) => this.#send(webhook, event),
			gone: (webhook) => this.#gone(webhook),
			nowMs: ports.nowMs,
			random: ports.random,
		});
		this.streams = new EventStreams(this.#outbox, () => ports.record()?.id ?? this.#broadcastId);
	}

	/**
	 * Stores what happened. Synchronous: called in the turn in which the record is stored, so that neither is there without the other. Sending is
	 * for {@link run}.
	 */
	recordChanged(before: BroadcastRecord | undefined, after: BroadcastRecord, cause: ChangeCause): void {
		const events = eventsBetween(before, after, cause, this.#ports.nowMs());
		this.#keepWebhooks(before?.webhooks ?? [], after);
		this.#broadcastId = after.id;
		this.append(events, after.version);
		if (after.deleted) {
			this.streams.endAll();
		}
	}

	get holdsAny(): boolean {
		return this.#tables.exist();
	}

	/** Stores what changes no record, such as reminders. Synchronous. */
	append(events: readonly EventDraft[], version: number): void {
		if (events.length === 0) {
			return;
		}
		this.#outbox.append(events, version, this.#ports.nowMs());
		const cursors = this.#book.all().map(({ state }) => state.cursor);
		this.#outbox.prune(Math.min(this.#outbox.newest, ...cursors), this.#ports.nowMs());
		this.streams.notify();
	}

	/** Sends to webhooks what is due; resolves when all of it was tried, and must not be waited for by whoever gives a command. */
	run(): Promise<void> {
		return this.#courier.run();
	}

	/** When to {@link run} again without being asked; `undefined` when nothing is left to send. */
	dueMs(): number | undefined {
		return this.#tables.exist() ? this.#courier.dueMs() : undefined;
	}

	async log({ after, limit, types }: LogQuery): Promise<Outcome<LogPage>> {
		const record = this.#ports.record();
		if (record === undefined) {
			return notFound();
		}
		const events = this.#outbox.read({ after, types }, limit + 1);
		const page = events.slice(0, limit);
		const last = page.at(-1);
		return done({
			events: page.map((event) => shownEvent(record.id, event)),
			...(events.length > limit && last !== undefined ? { next: last.sequence } : {}),
		});
	}

	async webhookStatuses(): Promise<Outcome<readonly WebhookStatus[]>> {
		const record = this.#ports.record();
		if (record === undefined) {
			return notFound();
		}
		return done(
			record.webhooks.map(({ webhookId, url, events, createdAtMs }) => ({
				id: webhookId,
				url,
				events,
				createdAtMs,
				...this.#progressOf(webhookId),
			})),
		);
	}

	async deadLetters(webhookId: string): Promise<Outcome<readonly DeadLetter[]>> {
		return this.#known(webhookId) === undefined ? noSuchWebhook() : done(this.#book.deadLetters(webhookId));
	}

	async replay(webhookId: string, { fromSequence, toSequence }: ReplayRange): Promise<Outcome<{ queued: number }>> {
		const webhook = this.#known(webhookId);
		if (webhook === undefined) {
			return noSuchWebhook();
		}
		// What comes after its cursor it gets anyway.
		const to = Math.min(toSequence ?? webhook.state.cursor, webhook.state.cursor);
		const queued = this.#outbox.count({ after: fromSequence - 1, upTo: to, types: wantedTypes(webhook) });
		if (queued > 0) {
			this.#book.save(webhookId, replaying(webhook.state, fromSequence, to, this.#ports.nowMs()));
		}
		return done({ queued });
	}

	/** The stream of events after `after`, or after now; why not where there are too many. */
	openStream(after: number | undefined, reader: StreamReader | undefined): ReadableStream<Uint8Array> {
		return this.streams.open(after ?? this.#outbox.newest, reader);
	}

	/** All storage of the object was deleted. */
	storageDeleted(): void {
		this.#tables.storageDeleted();
	}

	#keepWebhooks(were: BroadcastRecord["webhooks"], { id, webhooks }: BroadcastRecord): void {
		if (webhooks === were) {
			return;
		}
		for (const { webhookId } of were.filter(
			(each) => !webhooks.some(({ webhookId }) => webhookId === each.webhookId),
		)) {
			this.#book.remove(webhookId);
		}
		for (const webhook of webhooks.filter((each) => !were.some(({ webhookId }) => webhookId === each.webhookId))) {
			// The first event it gets is that it was added.
			this.#book.add(id, webhook, this.#outbox.newest);
		}
	}

	#known(webhookId: string): WebhookRow | undefined {
		return this.#ports.record() === undefined ? undefined : this.#book.find(webhookId);
	}

	#progressOf(webhookId: string): Omit<WebhookStatus, "id" | "url" | "events" | "createdAtMs"> {
		const webhook = this.#book.find(webhookId);
		if (webhook === undefined) {
			return { cursor: this.#outbox.newest, pending: 0, deadLetters: 0, failures: 0 };
		}
		const { state } = webhook;
		const { cursor, failures, lastError, replay } = state;
		const types = wantedTypes(webhook);
		const replayed = replay === undefined ? 0 : this.#outbox.count({ ...rangeOf(state), types });
		const [next] = this.#outbox.read({ ...rangeOf(state), types }, 1);
		const step = deliveryStep(state, next, this.#ports.nowMs());
		return {
			cursor,
			pending: this.#outbox.count({ after: cursor, types }) + replayed,
			deadLetters: this.#book.countDeadLetters(webhookId),
			failures,
			...(lastError === undefined ? {} : { lastError }),
			...(step.kind === "wait" ? { nextAttemptMs: step.untilMs } : {}),
		};
	}

	async #send(webhook: WebhookRow, event: Parameters<typeof deliveryBody>[1]): Promise<DeliveryResult> {
		const { env, fetch, after, nowMs } = this.#ports;
		try {
			const [body, secrets] = await Promise.all([
				deliveryBody(webhook.broadcastId, event, env),
				deliverySecrets(webhook, env),
			]);
			const id = `${webhook.broadcastId}.${event.sequence}`;
			return await deliver({ url: webhook.url, id, body, secrets }, { fetch, nowMs: nowMs(), after });
		} catch (error) {
			this.#ports.report("webhook: a delivery could not be made up, to be tried again", error);
			return { kind: "failed", error: "webhook: expected its secret to be there to sign with, got none" };
		}
	}

	async #gone({ webhookId }: WebhookRow): Promise<void> {
		await this.#ports.removeWebhook(webhookId);
		// Of a broadcast that is no more, no command could.
		this.#book.remove(webhookId);
	}
}

function notFound(): Outcome<never> {
	return refused("not-found", "broadcast: expected one that exists, got an id that names none");
}

function noSuchWebhook(): Outcome<never> {
	return refused("not-found", "webhook: expected one of this broadcast's, got an id that is none of them");
}
