import type { Signal } from "../../../worker/protocol/signaling.ts";

/** An offer and all its candidates, of each of five others. */
const MAX_KEPT = 200;

/** What came of connections that nobody has told of yet: kept until somebody does. */
export class EarlySignals {
	readonly #kept: { readonly connection: string; readonly signal: Signal }[] = [];

	keep(connection: string, signal: Signal): void {
		this.#kept.push({ connection, signal });
		if (this.#kept.length > MAX_KEPT) {
			this.#kept.shift();
		}
	}

	/** What has come of it, in that order; it is not kept any more. */
	take(connection: string): readonly Signal[] {
		const taken = this.#kept.filter((each) => each.connection === connection);
		const left = this.#kept.filter((each) => each.connection !== connection);
		this.#kept.splice(0, this.#kept.length, ...left);
		return taken.map(({ signal }) => signal);
	}

	clear(): void {
		this.#kept.length = 0;
	}
}
