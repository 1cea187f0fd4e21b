import { attended } from "./attended.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import { sceneOf } from "./scene.ts";
import { statusEvent } from "./status-event.ts";

export interface BroadcastStore {
	save(record: BroadcastRecord): Promise<void>;
	/** Forgets everything, the alarm included. */
	clear(): Promise<void>;
	/** Calls `BroadcastControl.settle` at that time; `undefined` cancels. */
	wakeAt(timeMs: number | undefined): Promise<void>;
}

/** What the control sockets are to be told after a change. */
export interface BroadcastAudience {
	sceneChanged(record: BroadcastRecord): void;
	statusChanged(record: BroadcastRecord): void;
	/** A newer compositor was asked for: those with a lower fence are dismissed. */
	fenceRaised(fence: number): void;
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

	async change(next: BroadcastRecord, nowMs: number): Promise<void> {
		const before = this.#record;
		const after = attended(next, nowMs, this.#random());
		if (after === before) {
			return;
		}
		this.#record = after;
		await this.store.save(after);
		if (before === undefined || after.deleted) {
			return;
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
