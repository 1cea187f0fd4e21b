import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import { attended } from "./attended.ts";
import { endedRecord } from "./broadcast-record.ts";
import { isOver } from "./lifecycle.ts";
import { laneOf, nextWakeMs, outstandingWork, type WorkStep } from "./outstanding-work.ts";
import { unattendedEnd } from "./presence.ts";
import type { RecordKeeper } from "./record-keeper.ts";
import { afterDueStep } from "./schedule.ts";
import { StepLanes } from "./step-lanes.ts";
import type { RecordAccess, WorkRunner } from "./work-runner.ts";

/** A fellow object that does not answer is asked again soon, then ever less often. */
const RETRY: RetryPolicy = { firstMs: 1_000, capMs: 30_000 };
/** An ended broadcast gives up tidying after about five minutes: everything it started ends by itself once the Router has. */
const MAX_FAILED_ROUNDS_ENDED = 15;
/** Work that a restart cut short is found again after this long: about what it takes at worst. */
const INTERRUPTED_AFTER_MS = 15_000;
/** One thing leads to another a few times at most: what goes on longer is tried again later. */
const MAX_PASSES = 8;

/** Brings the world in line with a broadcast's record, and the record in line with the time. */
export class Settling {
	readonly #keeper: RecordKeeper;
	readonly #work: WorkRunner;
	readonly #lanes: StepLanes<WorkStep>;
	/** The one try at stopping every Egress before what they are fed by goes; after a restart there is another. */
	#egressesStopped: Promise<unknown> | undefined;

	constructor(keeper: RecordKeeper, work: WorkRunner) {
		this.#keeper = keeper;
		this.#work = work;
		this.#lanes = new StepLanes({
			next: (lane, nowMs) => this.#outstanding(nowMs).find((step) => laneOf(step) === lane),
			run: (step, nowMs) => this.#run(step, nowMs),
		});
	}

	/**
	 * Does what is outstanding, also what comes up meanwhile, and sees to being woken for the rest. Never rejects because of a fellow object, and
	 * never takes longer than the few seconds that each of them is given.
	 */
	async settle(nowMs: number): Promise<void> {
		await this.#lookAround(nowMs);
		const failed = new Set<string>();
		for (let pass = 0; pass < MAX_PASSES; pass++) {
			const lanes = new Set(
				this.#outstanding(nowMs)
					.map(laneOf)
					.filter((lane) => !failed.has(lane)),
			);
			if (lanes.size === 0) {
				break;
			}
			if (pass === 0) {
				await this.#keeper.store.wakeAt(nowMs + INTERRUPTED_AFTER_MS);
			}
			const drained = [...lanes].map(async (lane) => ({ lane, succeeded: await this.#lanes.drain(lane, nowMs) }));
			for (const { lane, succeeded } of await Promise.all(drained)) {
				if (!succeeded) {
					failed.add(lane);
				}
			}
		}
		await this.#afterWork(failed.size > 0, nowMs);
		if (this.#keeper.record !== undefined && isOver(this.#keeper.record.status)) {
			// Last, since a compositor that is dismissed makes no more program.
			this.#keeper.audience.dismissAll("broadcast: it has ended");
		}
	}

	/** What time alone changes. */
	async #lookAround(nowMs: number): Promise<void> {
		await this.#keepSchedule(nowMs);
		const record = this.#keeper.record;
		if (record === undefined || record.deleted) {
			return;
		}
		const end = unattendedEnd(record);
		if (end !== undefined && nowMs >= end.atMs) {
			await this.#keeper.change(endedRecord(record, end.reason, nowMs), nowMs, { actor: "system" });
		} else if (attended(record, nowMs, 0) !== record) {
			await this.#keeper.change(record, nowMs);
		}
	}

	/** One change for each thing that is due, so that each is told of, also when all are late. */
	async #keepSchedule(nowMs: number): Promise<void> {
		const next = () => {
			const { record } = this.#keeper;
			return record === undefined || record.deleted ? undefined : afterDueStep(record, nowMs);
		};
		for (let after = next(); after !== undefined; after = next()) {
			await this.#keeper.change(after, nowMs, { actor: "schedule" });
		}
	}

	#outstanding(nowMs: number): readonly WorkStep[] {
		return this.#keeper.record === undefined ? [] : outstandingWork(this.#keeper.record, nowMs);
	}

	async #run(step: WorkStep, nowMs: number): Promise<boolean> {
		const feedsEgresses = step.kind === "end-router" || step.kind === "release-lease";
		if (feedsEgresses && this.#keeper.record !== undefined && isOver(this.#keeper.record.status)) {
			// A destination must hear the end of the broadcast before its program stops coming.
			this.#egressesStopped ??= this.#stopEgresses(nowMs);
			await this.#egressesStopped;
		}
		return this.#work.run(step, this.#access(nowMs), nowMs);
	}

	#stopEgresses(nowMs: number): Promise<unknown> {
		const stops = this.#outstanding(nowMs).filter(({ kind }) => kind === "stop-egress");
		return Promise.all(stops.map((step) => this.#lanes.join(laneOf(step), nowMs)));
	}

	/** How a step reads and changes the record, which others may change while it waits. */
	#access(nowMs: number): RecordAccess {
		return {
			read: () => this.#keeper.record,
			change: (next) => this.#keeper.change(next, nowMs),
			fenceRaised: (fence) => {
				this.#keeper.audience.fenceRaised(fence);
				// The Router hears of the fence while the pool is still being asked; `settle` waits for both.
				void this.#lanes.drain("router", nowMs).catch(() => undefined);
			},
			random: () => this.#keeper.random(),
		};
	}

	async #afterWork(hasFailed: boolean, nowMs: number): Promise<void> {
		const record = this.#keeper.record;
		if (record === undefined) {
			return;
		}
		const { retryAtMs, ...settled } = record;
		const over = isOver(record.status) || record.deleted;
		const givesUp = hasFailed && over && record.failedRounds >= MAX_FAILED_ROUNDS_ENDED;
		if (record.deleted && (!hasFailed || givesUp)) {
			await this.#keeper.forget();
			return;
		}
		if (!hasFailed || givesUp) {
			if (retryAtMs !== undefined || record.failedRounds > 0) {
				await this.#keeper.change({ ...settled, failedRounds: hasFailed ? record.failedRounds : 0 }, nowMs);
			}
		} else if (retryAtMs === undefined || retryAtMs <= nowMs) {
			const delayMs = retryDelayMs(RETRY, record.failedRounds, this.#keeper.random());
			await this.#keeper.change(
				{ ...settled, failedRounds: record.failedRounds + 1, retryAtMs: nowMs + delayMs },
				nowMs,
			);
		}
		const wakeMs = this.#keeper.record === undefined ? undefined : nextWakeMs(this.#keeper.record, nowMs);
		const othersMs = this.#lanes.busy ? nowMs + INTERRUPTED_AFTER_MS : undefined;
		await this.#keeper.store.wakeAt(othersMs === undefined ? wakeMs : Math.min(othersMs, wakeMs ?? othersMs));
	}
}
