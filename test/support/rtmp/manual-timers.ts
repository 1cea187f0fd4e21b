import type { Timers } from "../../../rtmp/timers.ts";

interface Waiting {
	readonly dueMs: number;
	readonly run: () => void;
}

/** Made-up time, which passes only when told to. */
export class ManualTimers implements Timers {
	readonly #waiting = new Set<Waiting>();
	#nowMs = 0;

	after(delayMs: number, run: () => void): () => void {
		const waiting = { dueMs: this.#nowMs + delayMs, run };
		this.#waiting.add(waiting);
		return () => this.#waiting.delete(waiting);
	}

	/** How many timers are set: none must be left when all is over. */
	get pending(): number {
		return this.#waiting.size;
	}

	/** Lets `ms` pass, timer by timer in order, letting what each set off run on in between. */
	async advance(ms: number): Promise<void> {
		const untilMs = this.#nowMs + ms;
		await letPromisesRun();
		for (;;) {
			const next = [...this.#waiting].sort((a, b) => a.dueMs - b.dueMs).find(({ dueMs }) => dueMs <= untilMs);
			if (next === undefined) {
				break;
			}
			this.#waiting.delete(next);
			this.#nowMs = next.dueMs;
			next.run();
			await letPromisesRun();
		}
		this.#nowMs = untilMs;
	}
}

/** Lets everything run that waits for no timer and no network. */
export async function letPromisesRun(): Promise<void> {
	for (let turn = 0; turn < 5; turn += 1) {
		await new Promise((resolve) => setImmediate(resolve));
	}
}
