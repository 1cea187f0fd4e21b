/** The part of an object's storage that holds its one alarm. */
export interface AlarmStorage {
	getAlarm(): Promise<number | null>;
	setAlarm(timeMs: number): Promise<void>;
	deleteAlarm(): Promise<void>;
}

/** A Broadcast object's one alarm, for the earlier of what its control wants and what its events want. */
export class SharedAlarm {
	readonly #storage: AlarmStorage;
	readonly #eventsDueMs: () => number | undefined;
	/** As it is stored. */
	#atMs: number | undefined;
	#controlMs: number | undefined;

	/** @param eventsDueMs asked each time the alarm is set */
	constructor(storage: AlarmStorage, eventsDueMs: () => number | undefined) {
		this.#storage = storage;
		this.#eventsDueMs = eventsDueMs;
	}

	/** Reads it after a restart. Whosever it is: too early for the control is no harm, and it says anew when it wants to be woken. */
	async load(): Promise<void> {
		this.#atMs = (await this.#storage.getAlarm()) ?? undefined;
		this.#controlMs = this.#atMs;
	}

	/** It went off, or was deleted with everything else: nobody is waiting for it. */
	forget(): void {
		this.#atMs = undefined;
		this.#controlMs = undefined;
	}

	/** When the control wants to be woken; `undefined` when it does not. */
	setForControl(timeMs: number | undefined): Promise<void> {
		this.#controlMs = timeMs;
		return this.set();
	}

	/** Sets it anew, after the events may have come to want something else. */
	async set(): Promise<void> {
		const times = [this.#controlMs, this.#eventsDueMs()].filter((each) => each !== undefined);
		const timeMs = times.length === 0 ? undefined : Math.min(...times);
		if (timeMs === this.#atMs) {
			return;
		}
		this.#atMs = timeMs;
		await (timeMs === undefined ? this.#storage.deleteAlarm() : this.#storage.setAlarm(timeMs));
	}
}
