/** Listeners by event. One that throws does not keep the others from hearing, nor the one who says it from going on. */
export class Emitter<Events> {
	readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>();

	on<K extends keyof Events>(event: K, listener: (value: Events[K]) => void): () => void {
		const listeners = this.#listeners.get(event) ?? new Set();
		this.#listeners.set(event, listeners);
		listeners.add(listener);
		return () => listeners.delete(listener);
	}

	emit<K extends keyof Events>(event: K, value: Events[K]): void {
		for (const listener of [...(this.#listeners.get(event) ?? [])]) {
			try {
				(listener as (value: Events[K]) => void)(value);
			} catch (error) {
				// As the platform does with its own events: said where uncaught errors are said.
				queueMicrotask(() => {
					throw error;
				});
			}
		}
	}

	clear(): void {
		this.#listeners.clear();
	}
}
