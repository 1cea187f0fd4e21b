/** Things that are costly to make and large to keep: so many of them, and of more the one unused for longest is given up. */
export class RecentlyUsed<Key, Value> {
	readonly #most: number;
	readonly #onGivenUp: (value: Value) => void;
	/** The least used first: what is used is taken out and put back. */
	readonly #kept = new Map<Key, Value>();

	constructor(most: number, onGivenUp: (value: Value) => void = () => undefined) {
		this.#most = most;
		this.#onGivenUp = onGivenUp;
	}

	/** What is kept under that key, or else what `make` makes. Good until the next call. */
	get(key: Key, make: () => Value): Value {
		const value = this.#kept.has(key) ? (this.#kept.get(key) as Value) : make();
		this.#kept.delete(key);
		this.#kept.set(key, value);
		const [oldest] = this.#kept;
		if (this.#kept.size > this.#most && oldest !== undefined) {
			this.#kept.delete(oldest[0]);
			this.#onGivenUp(oldest[1]);
		}
		return value;
	}

	/** Gives all of them up. */
	clear(): void {
		for (const value of this.#kept.values()) {
			this.#onGivenUp(value);
		}
		this.#kept.clear();
	}
}
