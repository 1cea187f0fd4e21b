/** One small thing that is done over and over. */
export interface MicroCase {
	readonly name: string;
	/** What one iteration is about: `tag`, `message`, `20 ms`. */
	readonly unit: string;
	/** Bytes of media that one iteration handles, where a rate in bytes says something. */
	readonly bytes?: number;
	/** Does it that many times, one after the other. */
	run(iterations: number): void;
}

/** A case as it was measured once, wherever that was. */
export interface MicroTime {
	readonly name: string;
	readonly unit: string;
	/** Of one iteration. */
	readonly us: number;
	readonly bytes?: number;
	/** Memory that one iteration takes anew, buffers included; absent where nobody can tell. */
	readonly allocatedBytes?: number;
}

/**
 * Hands the items to a stage one by one, an iteration each, and goes on with a new stage from the first one when they are used up: a stage of a pipeline
 * wants times that rise.
 *
 * @param begin makes a stage and returns how it takes an item
 */
export function inTurn<Item>(items: readonly Item[], begin: () => (item: Item) => void): MicroCase["run"] {
	let at = items.length;
	let take: (item: Item) => void = () => {};
	return (iterations) => {
		for (let index = 0; index < iterations; index += 1) {
			if (at === items.length) {
				at = 0;
				take = begin();
			}
			take(items[at] as Item);
			at += 1;
		}
	};
}
