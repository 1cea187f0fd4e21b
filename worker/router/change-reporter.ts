import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import { createLog } from "../log.ts";

const log = createLog("router");

/** The state told is always the latest, so retrying for ever adds no load beyond one call in ten seconds. */
const REPORT_RETRY: RetryPolicy = { firstMs: 500, capMs: 10_000 };

/** The clock and timer a {@link ChangeReporter} waits on. */
export type After = (delayMs: number, action: () => void) => void;

/**
 * Tells a fellow object the latest state of each key, in order, one call at a time, and again until it has been heard. A state that was
 * replaced before it could be told is never told. Failures stay here: whoever reports goes on with its work.
 */
export class ChangeReporter<Change> {
	readonly #tell: (change: Change) => Promise<void>;
	readonly #after: After;
	readonly #waiting = new Map<string, Change>();
	#busy = false;
	#failures = 0;

	constructor(tell: (change: Change) => Promise<void>, after: After) {
		this.#tell = tell;
		this.#after = after;
	}

	report(key: string, change: Change): void {
		this.#waiting.delete(key);
		this.#waiting.set(key, change);
		this.#next();
	}

	#next(): void {
		const first = this.#waiting.entries().next();
		if (this.#busy || first.done) {
			return;
		}
		const [key, change] = first.value;
		this.#busy = true;
		this.#tell(change).then(
			() => {
				if (this.#waiting.get(key) === change) {
					this.#waiting.delete(key);
				}
				this.#failures = 0;
				this.#free();
			},
			(error: unknown) => {
				log.warn("a fellow object did not take a change, trying again", { error });
				this.#after(retryDelayMs(REPORT_RETRY, this.#failures++, Math.random()), () => this.#free());
			},
		);
	}

	#free(): void {
		this.#busy = false;
		this.#next();
	}
}
