import { useEffect, useState } from "preact/hooks";

/** Something with a state that is replaced as a whole. */
export interface Store<T> {
	readonly state: T;
	/** @returns what takes the listener away again */
	onChange(listener: () => void): () => void;
}

/** One value, and those who want to know of its changes. */
export class Held<T> implements Store<T> {
	readonly #listeners = new Set<() => void>();
	#state: T;

	constructor(state: T) {
		this.#state = state;
	}

	get state(): T {
		return this.#state;
	}

	set(state: T): void {
		if (state !== this.#state) {
			this.#state = state;
			for (const listener of this.#listeners) {
				listener();
			}
		}
	}

	onChange(listener: () => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}
}

/** The store's state, and a new rendering on each change of it. */
export function useStore<T>(store: Store<T>): T {
	const [, setShown] = useState<T>(store.state);
	useEffect(() => {
		// What changed between rendering and now counts too.
		setShown(() => store.state);
		return store.onChange(() => setShown(() => store.state));
	}, [store]);
	return store.state;
}
