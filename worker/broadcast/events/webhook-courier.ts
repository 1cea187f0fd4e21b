import type { Outbox, StoredEvent } from "./outbox.ts";
import { type WebhookBook, type WebhookRow, wantedTypes } from "./webhook-book.ts";
import { DELIVERY_TIMEOUT_MS, type DeliveryResult } from "./webhook-delivery.ts";
import {
	type DeliveryStep,
	delivered,
	deliveryStep,
	failed,
	givenUp,
	rangeOf,
	withoutReplay,
} from "./webhook-schedule.ts";

/** A delivery that a restart cut short is found again after this long. */
const INTERRUPTED_AFTER_MS = DELIVERY_TIMEOUT_MS + 5_000;

export interface CourierPorts {
	readonly outbox: Outbox;
	readonly book: WebhookBook;
	/** One attempt; never rejects. */
	send(webhook: WebhookRow, event: StoredEvent): Promise<DeliveryResult>;
	/** The receiver said that it wants no more. */
	gone(webhook: WebhookRow): Promise<void>;
	nowMs(): number;
	/** In [0, 1), for jitter. */
	random(): number;
}

/**
 * Takes the events of one broadcast to its webhooks: to each in order and one at a time, whatever becomes of the others. How far each has come is
 * stored after every attempt, so that whoever takes over after a restart goes on from there, and sends at most the last one twice.
 */
export class WebhookCourier {
	readonly #ports: CourierPorts;
	/** Since when each webhook has been worked on, by its id. */
	readonly #busySinceMs = new Map<string, number>();

	constructor(ports: CourierPorts) {
		this.#ports = ports;
	}

	/** Sends what is due; resolves when all of it was tried. */
	async run(): Promise<void> {
		const idle = this.#ports.book.all().filter(({ webhookId }) => !this.#busySinceMs.has(webhookId));
		await Promise.all(idle.map(({ webhookId }) => this.#serve(webhookId)));
	}

	/** When to run again without being asked; `undefined` when nothing is left to send. */
	dueMs(): number | undefined {
		const nowMs = this.#ports.nowMs();
		const times = this.#ports.book.all().flatMap((webhook) => {
			const busySinceMs = this.#busySinceMs.get(webhook.webhookId);
			if (busySinceMs !== undefined) {
				return [busySinceMs + INTERRUPTED_AFTER_MS];
			}
			const { step } = this.#next(webhook, nowMs);
			return step.kind === "idle" ? [] : [step.kind === "wait" ? step.untilMs : nowMs];
		});
		return times.length === 0 ? undefined : Math.min(...times);
	}

	async #serve(webhookId: string): Promise<void> {
		try {
			for (let goesOn = true; goesOn; ) {
				this.#busySinceMs.set(webhookId, this.#ports.nowMs());
				goesOn = await this.#takeStep(webhookId);
			}
		} finally {
			this.#busySinceMs.delete(webhookId);
		}
	}

	/** Whether there may be more to do at once. */
	async #takeStep(webhookId: string): Promise<boolean> {
		const { book } = this.#ports;
		const nowMs = this.#ports.nowMs();
		// Read anew each time: it may have been removed, or a replay asked for, while the last one was on its way.
		const webhook = book.find(webhookId);
		if (webhook === undefined) {
			return false;
		}
		const { step, event } = this.#next(webhook, nowMs);
		if (step.kind === "replayed") {
			book.save(webhookId, withoutReplay(webhook.state));
			return true;
		}
		if (event === undefined || step.kind === "idle" || step.kind === "wait") {
			return false;
		}
		if (step.kind === "give-up") {
			const { sequence, type, atMs: eventAtMs } = event;
			const error = webhook.state.lastError ?? "webhook: expected its turn in time, got none";
			book.bury(webhookId, { sequence, type, eventAtMs, gaveUpAtMs: nowMs, error });
			book.save(webhookId, givenUp(webhook.state, sequence));
			return true;
		}
		return this.#attempt(webhook, event);
	}

	async #attempt(webhook: WebhookRow, event: StoredEvent): Promise<boolean> {
		const { book } = this.#ports;
		const { webhookId } = webhook;
		const result = await this.#ports.send(webhook, event);
		const current = book.find(webhookId);
		if (current === undefined) {
			return false;
		}
		switch (result.kind) {
			case "delivered":
				book.exhume(webhookId, event.sequence);
				book.save(webhookId, delivered(current.state, event.sequence, webhook.state.replay));
				return true;
			case "gone":
				await this.#ports.gone(webhook);
				return false;
			case "failed": {
				const { error } = result;
				book.save(webhookId, failed(current.state, error, this.#ports.nowMs(), this.#ports.random()));
				return false;
			}
		}
	}

	#next(webhook: WebhookRow, nowMs: number): { readonly step: DeliveryStep; readonly event: StoredEvent | undefined } {
		const [event] = this.#ports.outbox.read({ ...rangeOf(webhook.state), types: wantedTypes(webhook) }, 1);
		return { step: deliveryStep(webhook.state, event, nowMs), event };
	}
}
