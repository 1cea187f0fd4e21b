import { setTimeout as sleep } from "node:timers/promises";

export interface LivenessWatchOptions {
	/** Rejects when there is no answer; is told when to give up. */
	readonly ask: (signal: AbortSignal) => Promise<unknown>;
	/** Called once, and ends the watch. */
	readonly onDead: () => void;
	readonly everyMs: number;
	readonly deadAfterMs: number;
}

/** Asks something again and again, and says when it has not answered for too long. */
export class LivenessWatch {
	readonly #options: LivenessWatchOptions;
	readonly #stopped = new AbortController();

	constructor(options: LivenessWatchOptions) {
		this.#options = options;
		// What ends it is told by `onDead`, and stopping it is no error.
		this.#run().catch(() => {});
	}

	/** May be called twice. */
	stop(): void {
		this.#stopped.abort();
	}

	async #run(): Promise<void> {
		const { ask, onDead, everyMs, deadAfterMs } = this.#options;
		const { signal } = this.#stopped;
		let aliveAtMs = performance.now();
		for (;;) {
			await sleep(everyMs, undefined, { signal, ref: false });
			try {
				await ask(AbortSignal.any([signal, AbortSignal.timeout(everyMs)]));
				aliveAtMs = performance.now();
			} catch {
				signal.throwIfAborted();
				if (performance.now() - aliveAtMs > deadAfterMs) {
					onDead();
					return;
				}
			}
		}
	}
}
