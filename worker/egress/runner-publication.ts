import type { Clock } from "../../egress/clock.ts";
import { isActive } from "../../egress/egress-state.ts";
import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import { createLog } from "../log.ts";
import type { EgressCarryOver, EgressJobAnswer, EgressJobReport, EgressRunnerWord } from "../protocol/egress-jobs.ts";
import type { EgressStatus } from "../protocol/egress-status.ts";
import type { Publication } from "./publication.ts";

const log = createLog("egress");

/** Where there is no runner one may come any second; asking costs a call between objects. */
const ASK_AGAIN: RetryPolicy = { firstMs: 500, capMs: 5_000 };
/** Finds out about a pool that has forgotten the job, and gives the runner a new token long before the old one is void. */
export const RENEW_EVERY_MS = 30_000;
/** A runner's goodbye takes two seconds where the destination does not answer it; its word then passes the pool. */
export const GOODBYE_WITHIN_MS = 3_000;

export interface RunnerPublicationOptions {
	readonly pool: {
		acquire(fence: number, carryOver: EgressCarryOver | undefined): Promise<EgressJobAnswer>;
		release(fence: number): Promise<void>;
	};
	readonly clock: Clock;
	/** In [0, 1). */
	readonly random: () => number;
	/** The highest ever asked with; 0 when there was none. */
	readonly fence: number;
	/** Whether that one's job is gone on with. */
	readonly resumes: boolean;
	/** Stores a fence; it is asked with only afterwards, so that none is used twice. */
	readonly keepFence: (fence: number) => Promise<void>;
	readonly carryOver?: EgressCarryOver;
	readonly onChange: (status: EgressStatus) => void;
	/** The broadcast has ended. */
	readonly onEnded: (reason: string) => void;
}

const NO_RUNNER_YET: EgressStatus = {
	state: "connecting",
	bytes: 0,
	reconnects: 0,
	droppedTags: 0,
	queueMs: 0,
	attempts: 0,
};

/**
 * Publishes by a runner: sees to it that one has the job, and another when that is lost, each under a higher fence than the one before.
 * What the runner says of the destination is the status; that there is no runner is said as a failure that is tried again.
 */
export class RunnerPublication implements Publication {
	readonly #options: RunnerPublicationOptions;
	readonly #stopped = Promise.withResolvers<void>();
	#fence: number;
	#status: EgressStatus;
	#held: boolean;
	#time: { readonly timeMs: number; readonly atMs: number } | undefined;
	#hasPublished: boolean;
	#phase: "active" | "stopping" | "over" = "active";
	#failures = 0;
	#cancelAsk: (() => void) | undefined;

	constructor(options: RunnerPublicationOptions) {
		const { carryOver, clock } = options;
		this.#options = options;
		this.#fence = options.fence;
		const { bytes = 0, reconnects = 0, droppedTags = 0 } = carryOver ?? {};
		this.#status = { ...NO_RUNNER_YET, bytes, reconnects, droppedTags };
		this.#held = carryOver?.held ?? false;
		this.#hasPublished = carryOver !== undefined;
		if (carryOver?.firstMs !== undefined) {
			this.#time = { timeMs: carryOver.firstMs, atMs: clock.nowMs() };
		}
	}

	/** Asks for a runner. Once. */
	start(): void {
		void (this.#options.resumes && this.#fence > 0 ? this.#ask() : this.#askAnother());
		this.#options.onChange(this.#status);
	}

	status(): EgressStatus {
		return this.#status;
	}

	get timeMs(): number | undefined {
		return this.#time === undefined
			? undefined
			: this.#time.timeMs + Math.max(0, this.#options.clock.nowMs() - this.#time.atMs);
	}

	get held(): boolean {
		return this.#held;
	}

	/** From the pool. Words of another fence are of a runner that has the job no longer. */
	hear(word: EgressRunnerWord): void {
		if (word.fence !== this.#fence || this.#phase === "over") {
			return;
		}
		switch (word.kind) {
			case "status":
				this.#report(word.report);
				return;
			case "lost":
				this.#lost(word.reason);
				return;
			case "tested":
				return;
		}
	}

	async stop(): Promise<void> {
		if (this.#phase !== "over") {
			this.#phase = "stopping";
			this.#cancelAsk?.();
			if (this.#fence > 0) {
				await this.#options.pool.release(this.#fence);
				await this.#goodbye();
			}
		}
		this.#phase = "over";
		this.#set({ ...this.#status, state: "stopped", queueMs: 0 });
	}

	#report({ status, timeMs, held }: EgressJobReport): void {
		this.#held ||= held;
		this.#hasPublished ||= status.state === "live";
		if (timeMs !== undefined) {
			this.#time = { timeMs, atMs: this.#options.clock.nowMs() };
		}
		if (status.state === "live") {
			this.#failures = 0;
		}
		if (status.state === "stopped") {
			this.#stopped.resolve();
			if (this.#phase === "active") {
				this.#options.onEnded("egress: the runner saw the broadcast end");
			}
			return;
		}
		if (this.#phase === "active") {
			if (status.state === "refused") {
				this.#phase = "over";
				this.#cancelAsk?.();
			}
			this.#set(status);
		}
	}

	#lost(reason: string): void {
		this.#stopped.resolve();
		if (this.#phase === "active") {
			this.#failing(`egress: expected a runner to go on publishing, got none: ${reason}`);
			this.#later(() => this.#askAnother(), retryDelayMs(ASK_AGAIN, this.#failures++, this.#options.random()));
		}
	}

	/** Asks under a fence that no runner has had. */
	async #askAnother(above = this.#fence): Promise<void> {
		const fence = above + 1;
		this.#fence = fence;
		try {
			await this.#options.keepFence(fence);
		} catch (error) {
			this.#again(`egress: expected to store who may publish, got: ${String(error)}`, () => this.#askAnother());
			return;
		}
		await this.#ask();
	}

	async #ask(): Promise<void> {
		const { pool } = this.#options;
		const fence = this.#fence;
		const answer = await pool.acquire(fence, this.#carryOver()).catch((error: unknown) => {
			log.warn("the pool did not answer, asking again", { error });
			return undefined;
		});
		if (this.#phase !== "active" && answer?.outcome === "assigned") {
			// Calls may overtake each other: this one came after the goodbye.
			await pool.release(fence).catch((error: unknown) => log.warn("the pool did not answer", { error }));
		}
		if (fence !== this.#fence || this.#phase !== "active") {
			return;
		}
		switch (answer?.outcome) {
			case undefined:
				// The runner, if one has the job, knows nothing of it and goes on.
				this.#later(() => this.#ask(), retryDelayMs(ASK_AGAIN, this.#failures++, this.#options.random()));
				return;
			case "assigned":
				this.#later(() => this.#ask(), RENEW_EVERY_MS);
				return;
			case "none":
				this.#again(answer.reason, () => this.#ask());
				return;
			case "stale": {
				const seen = answer.fence;
				this.#again(`pool: expected a fence above ${seen}, got ${fence}`, () => this.#askAnother(seen));
			}
		}
	}

	#again(reason: string, ask: () => Promise<void>): void {
		this.#failing(reason);
		this.#later(ask, retryDelayMs(ASK_AGAIN, this.#failures++, this.#options.random()));
	}

	#failing(lastError: string): void {
		this.#set({ ...this.#status, state: "retrying", lastError, queueMs: 0 });
	}

	#later(ask: () => Promise<void>, delayMs: number): void {
		this.#cancelAsk?.();
		this.#cancelAsk = this.#options.clock.after(delayMs, () => void ask());
	}

	#carryOver(): EgressCarryOver | undefined {
		if (!this.#hasPublished) {
			return undefined;
		}
		const { bytes, reconnects, droppedTags } = this.#status;
		const { timeMs, held } = this;
		return { ...(timeMs !== undefined && { firstMs: timeMs }), held, bytes, reconnects, droppedTags };
	}

	async #goodbye(): Promise<void> {
		const late = Promise.withResolvers<void>();
		const cancel = this.#options.clock.after(GOODBYE_WITHIN_MS, late.resolve);
		await Promise.race([this.#stopped.promise, late.promise]).finally(cancel);
	}

	#set(status: EgressStatus): void {
		const before = this.#status.state;
		this.#status = status;
		if (status.state !== before) {
			this.#options.onChange(status);
		}
		if (!isActive(status.state)) {
			this.#cancelAsk?.();
		}
	}
}
