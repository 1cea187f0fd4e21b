import type { Clock } from "../../egress/clock.ts";

interface Waiting {
	readonly dueMs: number;
	readonly action: () => void;
}

/** Turns of the event loop after which nothing that waits for no timer is still on its way: streams take a few for each hop. */
const SETTLE_TURNS = 30;

/** Made-up time, which passes only when told to. */
export class ManualClock implements Clock {
	readonly #waiting = new Set<Waiting>();
	#nowMs = 1_000_000;

	nowMs(): number {
		return this.#nowMs;
	}

	after(delayMs: number, action: () => void): () => void {
		const waiting = { dueMs: this.#nowMs + delayMs, action };
		this.#waiting.add(waiting);
		return () => this.#waiting.delete(waiting);
	}

	/** Timers set now: none must be left when all is over. */
	get pending(): number {
		return this.#waiting.size;
	}

	/** Lets `ms` pass, timer by timer, and what each sets off run. */
	async advance(ms: number): Promise<void> {
		const untilMs = this.#nowMs + ms;
		await settle();
		for (;;) {
			const next = [...this.#waiting].sort((a, b) => a.dueMs - b.dueMs).find(({ dueMs }) => dueMs <= untilMs);
			if (next === undefined) {
				break;
			}
			this.#waiting.delete(next);
			this.#nowMs = next.dueMs;
			next.action();
			await settle();
		}
		this.#nowMs = untilMs;
	}
}

/** Lets everything run that waits for no timer. */
export async function settle(): Promise<void> {
	for (let turn = 0; turn < SETTLE_TURNS; turn++) {
		await new Promise((resolve) => setImmediate(resolve));
	}
}

/** Lets things run until `condition` holds; fails loudly when it never does. */
export async function until(condition: () => boolean, what: string): Promise<void> {
	for (let round = 0; round < 200; round++) {
		if (condition()) {
			return;
		}
		await settle();
	}
	throw new Error(`test: expected ${what}, which never came`);
}
