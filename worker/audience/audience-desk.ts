import { fingerprint, type SealingEnv, seal, sealingKeyOf, unseal } from "../auth/sealing.ts";
import type { BroadcastRecord } from "../broadcast/broadcast-record.ts";
import { isOver } from "../broadcast/lifecycle.ts";
import type { AudienceRpc, PublicState, PublicView, ReminderCount, ShardCount } from "../protocol/audience.ts";
import { done, type Outcome, refused } from "../protocol/problem.ts";
import { isSameState, publicState, publicView } from "./public-state.ts";
import { MAX_REMINDERS, ReminderList } from "./reminder-list.ts";
import { ShardTable } from "./shard-table.ts";
import type { SqlPort } from "./sql-port.ts";
import { ViewerCount } from "./viewer-count.ts";

const MS_PER_MINUTE = 60_000;
/** Hexadecimal digits of an id: 128 bits. */
const REMINDER_ID_LENGTH = 32;
/** More in one event would make a webhook's body large; whoever sends takes one after the other. */
export const MAX_REMINDER_BATCH = 100;

export interface AudienceDeskPorts {
	/** The broadcast's, while it exists. */
	record(): BroadcastRecord | undefined;
	readonly sql: SqlPort;
	readonly env: SealingEnv;
	shard(broadcastId: string, shard: number): AudienceRpc;
	/** A shard could not be told; its next count makes it good. */
	report(message: string, error: unknown): void;
}

/** Some who are to be reminded now. */
export interface DueReminders {
	readonly contacts: readonly { readonly id: string; readonly contact: string }[];
	/** Notes that they were: to be called in the moment in which the event that says so is stored. Until then they are given out again. */
	taken(): void;
}

/** A broadcast's dealings with those who wait and watch: it tells them how it stands, counts them, and keeps the list of whom to remind. */
export class BroadcastAudienceDesk {
	readonly #ports: AudienceDeskPorts;
	readonly #shardTable: ShardTable;
	readonly #reminders: ReminderList;
	/** Read when it is first needed: an object without a broadcast writes no tables. */
	#viewers: ViewerCount | undefined;

	constructor(ports: AudienceDeskPorts) {
		this.#ports = ports;
		this.#shardTable = new ShardTable(ports.sql);
		this.#reminders = new ReminderList(ports.sql);
	}

	/** How many watch now; 0 where there is no broadcast. */
	viewers(nowMs: number): number {
		return this.#ports.record() === undefined ? 0 : this.#counts().total(nowMs);
	}

	async publicView(nowMs: number): Promise<Outcome<PublicView>> {
		const record = this.#ports.record();
		return record === undefined ? notFound() : done(publicView(record, this.viewers(nowMs)));
	}

	async audienceCounted(counted: ShardCount, nowMs: number): Promise<Outcome<PublicState>> {
		const record = this.#ports.record();
		if (record === undefined) {
			return notFound();
		}
		this.#shardTable.write(this.#counts().counted(counted, nowMs));
		return done(publicState(record, this.viewers(nowMs)));
	}

	/** Tells all shards that counted lately what they are to know of a change; never rejects because of one. */
	async recordChanged(before: BroadcastRecord | undefined, after: BroadcastRecord, nowMs: number): Promise<void> {
		if (before === undefined) {
			return;
		}
		const isGone = after.deleted && !before.deleted;
		if (isGone || (isOver(after.status) && !isOver(before.status))) {
			// Nobody is to be reminded any more: what is personal goes at once.
			this.#reminders.clear();
		}
		if (isGone) {
			await this.#tellShards(after.id, nowMs, (shard) => shard.dismiss("broadcast: it was deleted"));
			return;
		}
		const state = publicState(after, this.viewers(nowMs));
		if (!isSameState(publicState(before, 0), state)) {
			await this.#tellShards(after.id, nowMs, (shard) => shard.stateChanged(state));
		}
	}

	/** All storage of the object was deleted. */
	storageDeleted(): void {
		this.#viewers = undefined;
		this.#reminders.storageDeleted();
	}

	async addReminder(contact: string, nowMs: number): Promise<Outcome<{ readonly id: string }>> {
		const { env } = this.#ports;
		const record = this.#ports.record();
		if (record === undefined) {
			return notFound();
		}
		if (sealingKeyOf(env) === undefined) {
			return refused("not-configured", "reminders: expected the secret ENCRYPTION_KEY to be set, got none");
		}
		const dueAtMs = reminderDueAtMs(record);
		if (dueAtMs === undefined || nowMs >= dueAtMs) {
			const found =
				dueAtMs === undefined
					? `one that is ${record.status}, without a start that is ahead`
					: `one that starts in less than ${record.reminderMinutesBefore} min`;
			return refused(
				"wrong-state",
				`reminders: expected a broadcast whose reminders are still to be sent, got ${found}`,
				dueAtMs === undefined ? { expected: ["scheduled", "lobby"], found: record.status } : {},
			);
		}
		// Not a random one: who knows a contact must not learn from the answer whether it was on the list.
		const mark = await fingerprint(`${reminderUse(record.id)} ${contact}`, env);
		const id = mark.slice(0, REMINDER_ID_LENGTH);
		const sealedContact = await seal(contact, env, reminderUse(record.id));
		const isNew = !this.#reminders.has(id);
		if (isNew && this.#reminders.count >= MAX_REMINDERS) {
			return refused("too-many", `reminders: expected at most ${MAX_REMINDERS} contacts, got one more`);
		}
		if (isNew) {
			this.#reminders.add({ id, sealedContact }, nowMs);
		}
		return done({ id });
	}

	async removeReminder(reminderId: string): Promise<Outcome<null>> {
		if (this.#ports.record() === undefined) {
			return notFound();
		}
		this.#reminders.remove(reminderId);
		return done(null);
	}

	async countReminders(nowMs: number): Promise<Outcome<ReminderCount>> {
		const record = this.#ports.record();
		if (record === undefined) {
			return notFound();
		}
		const dueAtMs = reminderDueAtMs(record);
		const isAhead = dueAtMs !== undefined && nowMs < dueAtMs;
		return done({ count: this.#reminders.count, ...(isAhead ? { dueAtMs } : {}) });
	}

	/**
	 * The next of those who are to be reminded of the start there is now; `undefined` when there are none left, or it is too early. A broadcast
	 * that is put off reminds everyone once more. A contact that no key opens any more is passed over.
	 */
	async takeDueReminders(nowMs: number, limit = MAX_REMINDER_BATCH): Promise<DueReminders | undefined> {
		const record = this.#ports.record();
		const dueAtMs = record && reminderDueAtMs(record);
		const startMs = record?.scheduledStartMs;
		if (record === undefined || startMs === undefined || dueAtMs === undefined || nowMs < dueAtMs) {
			return undefined;
		}
		const sealed = this.#reminders.notReminded(startMs, limit);
		if (sealed.length === 0) {
			return undefined;
		}
		const opened = await Promise.all(
			sealed.map(async ({ id, sealedContact }) => {
				try {
					return [{ id, contact: await unseal(sealedContact, this.#ports.env, reminderUse(record.id)) }];
				} catch (error) {
					this.#ports.report("reminders: a contact could not be opened, and is not reminded", error);
					return [];
				}
			}),
		);
		const ids = sealed.map(({ id }) => id);
		return { contacts: opened.flat(), taken: () => this.#reminders.reminded(ids, startMs) };
	}

	#counts(): ViewerCount {
		this.#viewers ??= new ViewerCount(this.#shardTable.read());
		return this.#viewers;
	}

	async #tellShards(broadcastId: string, nowMs: number, tell: (shard: AudienceRpc) => Promise<void>): Promise<void> {
		const told = this.#counts()
			.recentShards(nowMs)
			.map((shard) => tell(this.#ports.shard(broadcastId, shard)));
		for (const outcome of await Promise.allSettled(told)) {
			if (outcome.status === "rejected") {
				this.#ports.report("audience: a shard was not told of a change, its next count makes it good", outcome.reason);
			}
		}
	}
}

/** When those on the list are to be reminded; `undefined` of a broadcast that has no start, or is on air or over. */
export function reminderDueAtMs(
	record: Pick<BroadcastRecord, "status" | "scheduledStartMs" | "reminderMinutesBefore">,
): number | undefined {
	const { status, scheduledStartMs, reminderMinutesBefore } = record;
	const isAhead = status === "scheduled" || status === "lobby";
	return isAhead && scheduledStartMs !== undefined
		? scheduledStartMs - reminderMinutesBefore * MS_PER_MINUTE
		: undefined;
}

/** What a sealed contact is for, so that it opens in its own broadcast only. */
function reminderUse(broadcastId: string): string {
	return `reminder:${broadcastId}`;
}

function notFound(): Outcome<never> {
	return refused("not-found", "broadcast: expected one that exists, got an id that names none");
}
