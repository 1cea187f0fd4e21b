import type { Clock } from "../../egress/clock.ts";
import type { Dial } from "../../egress/destination-line.ts";
import { testDestination } from "../../egress/destination-test.ts";
import { EgressSession } from "../../egress/egress-session.ts";
import { RouterSubscription, type SubscriptionSocket } from "../../egress/router-subscription.ts";
import { EGRESS_STATUS_EVERY_MS, type EgressJob, type EgressJobReport } from "../../worker/protocol/egress-jobs.ts";
import type { EgressStatus } from "../../worker/protocol/egress-status.ts";
import type { RunnerMessage } from "../../worker/protocol/pool-messages.ts";
import type { Log } from "../log.ts";

export interface WorkOptions {
	readonly dial: Dial;
	/** Opens the program's media socket, with the token the job has by then. */
	readonly openProgram: (job: EgressJob) => Promise<SubscriptionSocket>;
	readonly clock: Clock;
	/** In [0, 1). */
	readonly random: () => number;
	readonly send: (message: RunnerMessage) => void;
	/** Nothing more is done or said. Called once. */
	readonly onOver: () => void;
	readonly log: Log;
}

/** One job of a runner. */
export interface EgressWork {
	readonly job: EgressJob;
	/** The same job with a newer token. */
	renew(job: EgressJob): void;
	/** Says goodbye to the destination, and then that it has stopped. */
	stop(): Promise<void>;
	/** Leaves the line without a word to the destination, for another to go on with. */
	drop(): Promise<void>;
}

/** Publishes a program to a destination until told to end, the destination refuses, or the broadcast ends; says how it goes once a second. */
export class PublishWork implements EgressWork {
	#job: EgressJob;
	readonly #options: WorkOptions;
	readonly #session: EgressSession;
	readonly #subscription: RouterSubscription;
	#cancelReport: (() => void) | undefined;
	#isEnding = false;
	#isOver = false;

	constructor(job: EgressJob, options: WorkOptions) {
		const { dial, openProgram, clock, random, log } = options;
		this.#job = job;
		this.#options = options;
		const session = new EgressSession(job.target, {
			dial,
			clock,
			random,
			onChange: (status) => this.#changed(status),
			...(job.carryOver !== undefined && { carryOver: job.carryOver }),
		});
		this.#session = session;
		this.#subscription = new RouterSubscription({
			open: () => openProgram(this.#job),
			clock,
			random,
			isOnAir: () => session.status().state === "live",
			onMessage: (message) => session.push(message),
			onOpen: () => session.resubscribed(),
			onEnded: () => void this.stop(),
			warn: log,
		});
		session.start();
		this.#reportEverySecond();
	}

	get job(): EgressJob {
		return this.#job;
	}

	renew(job: EgressJob): void {
		this.#job = job;
	}

	async stop(): Promise<void> {
		this.#end();
		await this.#session.stop();
		this.#over(true);
	}

	async drop(): Promise<void> {
		this.#end();
		await this.#session.drop();
		this.#over(false);
	}

	#end(): void {
		this.#isEnding = true;
		this.#subscription.close();
		this.#cancelReport?.();
	}

	#changed(status: EgressStatus): void {
		// That it has stopped is said when the destination has had its goodbye.
		if (!this.#isEnding) {
			this.#report();
		}
		if (status.state === "refused" && !this.#isEnding) {
			this.#end();
			this.#over(false);
		}
	}

	#over(tells: boolean): void {
		if (!this.#isOver) {
			this.#isOver = true;
			if (tells) {
				this.#report();
			}
			this.#options.onOver();
		}
	}

	#reportEverySecond(): void {
		this.#cancelReport = this.#options.clock.after(EGRESS_STATUS_EVERY_MS, () => {
			this.#report();
			this.#reportEverySecond();
		});
	}

	#report(): void {
		const { timeMs, held } = this.#session;
		const report: EgressJobReport = {
			status: this.#session.status(),
			held,
			...(timeMs !== undefined && { timeMs }),
		};
		const { jobId, fence } = this.#job;
		this.#options.send({ type: "egress-status", jobId, fence, report });
	}
}

/** Tests a destination and says how far that came. */
export class TestWork implements EgressWork {
	readonly job: EgressJob;
	readonly #ending = new AbortController();
	readonly #done: Promise<void>;

	constructor(job: EgressJob, { dial, clock, send, onOver }: WorkOptions) {
		this.job = job;
		const { jobId, fence, target } = job;
		this.#done = testDestination(target, { dial, clock, signal: this.#ending.signal }).then((report) => {
			send({ type: "egress-tested", jobId, fence, report });
			onOver();
		});
	}

	renew(): void {}

	async stop(): Promise<void> {
		this.#ending.abort(new Error("egress: expected the test to go on, got told to end it"));
		await this.#done;
	}

	async drop(): Promise<void> {
		await this.stop();
	}
}
