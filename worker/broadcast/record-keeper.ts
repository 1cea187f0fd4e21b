import type { CommandContext } from "../protocol/broadcast-commands.ts";
import { attended } from "./attended.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import { broadcastView } from "./broadcast-view.ts";
import { isListedAlike } from "./index-entry.ts";
import { sceneOf } from "./scene.ts";
import { statusEvent } from "./status-event.ts";

export type ChangeCause = Pick<CommandContext, "actor" | "requestId">;

export interface BroadcastStore {
	/** @param before as it was, for whoever is told of the difference; `undefined` of a new one */
	save(record: BroadcastRecord, before: BroadcastRecord | undefined, cause: ChangeCause): Promise<void>;
	/** Forgets everything, the alarm included. */
	clear(): Promise<void>;
	/** Calls `BroadcastControl.settle` at that time; `undefined` cancels. */
	wakeAt(timeMs: number | undefined): Promise<void>;
}

/** What the control sockets are to be told after a change. */
export interface BroadcastAudience {
	sceneChanged(record: BroadcastRecord): void;
	statusChanged(record: BroadcastRecord): void;
	/** Who is in the call, or what one of them may see of it, may be another; also when the broadcast is over or deleted. */
	callChanged(before: BroadcastRecord, after: BroadcastRecord): void;
	/** A newer compositor was asked for: those with a lower fence are dismissed. */
	fenceRaised(fence: number): void;
	/** These people's credentials were made worthless: they are dismissed. */
	disconnect(people: BroadcastRecord["toDisconnect"]): void;
	/** The broadcast is over or deleted: nobody stays. */
	dismissAll(reason: string): void;
}

/** The one place where a broadcast's record changes: it is stored with all that follows from it, and those who are to know are told. */
export class RecordKeeper {
	readonly store: BroadcastStore;
	readonly audience: BroadcastAudience;
	readonly #random: () => number;
	#record: BroadcastRecord | undefined;

	/** `random` gives numbers in [0, 1) for jitter. */
	constructor(
		record: BroadcastRecord | undefined,
		parts: { store: BroadcastStore; audience: BroadcastAudience; random: () => number },
	) {
		this.#record = record;
		this.store = parts.store;
		this.audience = parts.audience;
		this.#random = parts.random;
	}

	/** Also of a broadcast that was deleted, until nothing of it is left running. */
	get record(): BroadcastRecord | undefined {
		return this.#record;
	}

	random(): number {
		return this.#random();
	}

	/** @param cause who or what brought it about, where that is more than the world having changed */
	async change(next: BroadcastRecord, nowMs: number, cause: ChangeCause = { actor: "system" }): Promise<void> {
		const before = this.#record;
		const looked = attended(next, nowMs, this.#random());
		if (looked === before) {
			return;
		}
		const caused = cause.requestId === undefined ? looked : { ...looked, requestId: cause.requestId };
		const after = before === undefined ? caused : withVersion(before, withIndexing(before, caused));
		this.#record = after;
		await this.store.save(after, before, cause);
		if (before === undefined) {
			return;
		}
		this.audience.callChanged(before, after);
		if (after.deleted) {
			return;
		}
		if (after.toDisconnect !== before.toDisconnect && after.toDisconnect.length > 0) {
			this.audience.disconnect(after.toDisconnect);
		}
		if (JSON.stringify(sceneOf(before)) !== JSON.stringify(sceneOf(after))) {
			this.audience.sceneChanged(after);
		}
		if (JSON.stringify(statusEvent(before)) !== JSON.stringify(statusEvent(after))) {
			this.audience.statusChanged(after);
		}
	}

	async forget(): Promise<void> {
		this.#record = undefined;
		await this.store.clear();
	}
}

/** What the list of broadcasts shows and is not as it was is to be written to it. */
function withIndexing(before: BroadcastRecord, after: BroadcastRecord): BroadcastRecord {
	return after.indexed && !isListedAlike(before, after) ? { ...after, indexed: false } : after;
}

/** A version of its own for each state that the API shows: what changed unseen does not count. */
function withVersion(before: BroadcastRecord, after: BroadcastRecord): BroadcastRecord {
	const [was, is] = [before, after].map((record) => JSON.stringify(broadcastView({ ...record, version: 0 })));
	return was === is ? after : { ...after, version: before.version + 1 };
}
