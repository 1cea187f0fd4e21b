import { type Clock, systemClock } from "../../egress/clock.ts";
import type { Dial } from "../../egress/destination-line.ts";
import type { SubscriptionSocket } from "../../egress/router-subscription.ts";
import {
	EGRESS_KEPT_WITHOUT_POOL_MS,
	type EgressJob,
	type EgressJobName,
	MAX_EGRESS_JOBS,
} from "../../worker/protocol/egress-jobs.ts";
import type { RunnerMessage } from "../../worker/protocol/pool-messages.ts";
import type { Log } from "../log.ts";
import { type EgressWork, PublishWork, TestWork, type WorkOptions } from "./egress-work.ts";
import { nodeDial } from "./node-dial.ts";
import { openProgram } from "./program-socket.ts";

/** How often it is looked whether the pool is still there. */
const LOOK_EVERY_MS = 1_000;

export interface EgressJobsOptions {
	/** The Worker's origin. */
	readonly apiUrl: string;
	/** To the pool; lost when the line is down. */
	readonly send: (message: RunnerMessage) => void;
	/** When the pool last showed that it is there, by the clock. */
	readonly poolHeardAtMs: () => number;
	readonly log: Log;
	/** Default: as the platform has it. */
	readonly clock?: Clock;
	readonly random?: () => number;
	readonly dial?: (options: { readonly allowPrivate: boolean }) => Dial;
	readonly openProgram?: (job: EgressJob) => Promise<SubscriptionSocket>;
}

/**
 * The destinations this runner publishes to for the Worker. A job ends when the pool says so, and by itself when the pool has not been heard of
 * for {@link EGRESS_KEPT_WITHOUT_POOL_MS}: another runner may have it from then on. Addresses are in memory only, and in no line of the log.
 */
export class EgressJobs {
	readonly #options: EgressJobsOptions;
	readonly #clock: Clock;
	readonly #works = new Map<string, EgressWork>();
	#cancelLook: (() => void) | undefined;
	#isClosed = false;

	constructor(options: EgressJobsOptions) {
		this.#options = options;
		this.#clock = options.clock ?? systemClock;
	}

	/** What the pool is told of when the line is up again. */
	held(): EgressJobName[] {
		return [...this.#works.values()].map(({ job: { jobId, fence } }) => ({ jobId, fence }));
	}

	/** A job from the pool; one that it has already, with the same fence, gets the new token. */
	start(job: EgressJob): void {
		const { jobId, fence } = job;
		const current = this.#works.get(jobId);
		if (current !== undefined && current.job.fence >= fence) {
			if (current.job.fence === fence) {
				current.renew(job);
			}
			return;
		}
		if (this.#isClosed || (current === undefined && this.#works.size >= MAX_EGRESS_JOBS)) {
			const reason = `egress: expected at most ${MAX_EGRESS_JOBS} destinations on a runner that runs, got one more`;
			this.#options.send({ type: "egress-lost", jobId, fence, reason });
			return;
		}
		void current?.drop();
		this.#options.log(`egress ${jobId}: ${job.work === "test" ? "testing" : "publishing"}`);
		this.#works.set(jobId, this.#workOn(job));
		this.#look();
	}

	stop({ jobId, fence }: EgressJobName, final: boolean): void {
		const work = this.#works.get(jobId);
		if (work?.job.fence === fence) {
			void (final ? work.stop() : work.drop());
		}
	}

	/** Leaves every destination to other runners. May be called twice. */
	async close(reason: string): Promise<void> {
		this.#isClosed = true;
		await this.#dropAll(reason);
	}

	#workOn(job: EgressJob): EgressWork {
		const { apiUrl, dial = nodeDial, random = Math.random, send, log } = this.#options;
		const open = this.#options.openProgram ?? ((of: EgressJob) => openProgram(apiUrl, of));
		const options: WorkOptions = {
			dial: dial({ allowPrivate: job.allowPrivate }),
			openProgram: open,
			clock: this.#clock,
			random,
			send,
			onOver: () => {
				if (this.#works.get(job.jobId)?.job.fence === job.fence) {
					this.#works.delete(job.jobId);
				}
				log(`egress ${job.jobId}: over`);
			},
			log: (line) => log(`egress ${job.jobId}: ${line}`),
		};
		return job.work === "test" ? new TestWork(job, options) : new PublishWork(job, options);
	}

	async #dropAll(reason: string): Promise<void> {
		this.#cancelLook?.();
		this.#cancelLook = undefined;
		await Promise.all(
			[...this.#works.values()].map(async (work) => {
				await work.drop();
				const { jobId, fence } = work.job;
				this.#options.send({ type: "egress-lost", jobId, fence, reason });
			}),
		);
	}

	#look(): void {
		this.#cancelLook ??= this.#clock.after(LOOK_EVERY_MS, () => {
			this.#cancelLook = undefined;
			const silentMs = this.#clock.nowMs() - this.#options.poolHeardAtMs();
			if (silentMs > EGRESS_KEPT_WITHOUT_POOL_MS) {
				this.#options.log(`egress: the Worker was last heard of ${silentMs} ms ago, leaving every destination`);
				void this.#dropAll("runner: the pool was not heard of for too long");
			} else if (this.#works.size > 0) {
				this.#look();
			}
		});
	}
}
