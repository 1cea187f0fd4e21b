import type { DueReminders } from "../../audience/audience-desk.ts";
import { type SealingEnv, seal } from "../../auth/sealing.ts";
import type { EventDraft } from "../../protocol/broadcast-events.ts";
import type { BroadcastRecord } from "../broadcast-record.ts";
import { eventUse } from "./webhook-message.ts";

export interface ReminderPorts {
	/** The next of those who are to be reminded; `undefined` when there are none left. */
	take(nowMs: number): Promise<DueReminders | undefined>;
	append(events: readonly EventDraft[], version: number): void;
	readonly env: SealingEnv;
}

/** Makes an event of every batch of those who are to be reminded. Their contacts lie sealed in it, and leave by webhook only. */
export async function remindersDue(record: BroadcastRecord, ports: ReminderPorts, nowMs: number): Promise<void> {
	const { id, scheduledStartMs, version } = record;
	for (let due = await ports.take(nowMs); due !== undefined; due = await ports.take(nowMs)) {
		const { contacts } = due;
		if (contacts.length > 0 && scheduledStartMs !== undefined) {
			const sealed = await seal(JSON.stringify({ contacts }), ports.env, eventUse(id));
			const data = { scheduledStartTime: new Date(scheduledStartMs).toISOString(), count: contacts.length };
			ports.append([{ type: "reminder.due", data, actor: "schedule", sealed }], version);
		}
		// In the same turn as the event: neither is stored without the other.
		due.taken();
	}
}
