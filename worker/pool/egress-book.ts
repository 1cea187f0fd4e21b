import {
	EGRESS_KEPT_WITHOUT_POOL_MS,
	type EgressJob,
	type EgressJobAnswer,
	type EgressJobName,
	type EgressRunnerWord,
} from "../protocol/egress-jobs.ts";
import type { PoolMessage, RunnerMessage } from "../protocol/pool-messages.ts";
import { SILENT_AFTER_MS } from "./lease-records.ts";

/**
 * A runner whose socket is closed, or that says nothing, stops publishing by itself after {@link EGRESS_KEPT_WITHOUT_POOL_MS}; with two seconds
 * for its clock and its goodbye to the line another may go on then. Sooner, two might publish at once.
 */
export const EGRESS_LOST_AFTER_MS = EGRESS_KEPT_WITHOUT_POOL_MS + 2_000;

interface EgressRunner {
	readonly runnerId: string;
	readonly places: number;
	/** Set while its socket is closed. */
	readonly goneAtMs?: number;
	/** When it last sent anything. */
	readonly heardAtMs: number;
}

/** Who has which job. Neither address nor token: those pass through. */
interface EgressAssignment extends EgressJobName {
	readonly runnerId: string;
	/** Given up while its runner was away, which is told to say goodbye when it is back. */
	readonly ending: boolean;
}

export interface EgressBookState {
	readonly runners: readonly EgressRunner[];
	readonly assignments: readonly EgressAssignment[];
}

/** What the book wants done after a change. */
export type EgressEffect =
	| { readonly kind: "send"; readonly runnerId: string; readonly message: PoolMessage }
	| { readonly kind: "tell-egress"; readonly jobId: string; readonly word: EgressRunnerWord }
	/** A runner that says nothing is to notice that nobody counts on it. */
	| { readonly kind: "hang-up"; readonly runnerId: string };

type Hello = Extract<RunnerMessage, { type: "hello" }>;

/**
 * Which runner publishes to which destination. A job is with one runner at a time: it is given to another only when the one before was told to
 * stop, said that it has, or has been out of reach for so long that it has stopped by itself. Time is passed in, in milliseconds since the epoch.
 */
export class EgressBook {
	readonly #runners: Map<string, EgressRunner>;
	readonly #assignments: Map<string, EgressAssignment>;
	#effects: EgressEffect[] = [];
	#changed = false;

	/**
	 * @param state as stored, or nothing for an empty book
	 * @param connected the runners whose sockets are open now
	 */
	constructor(state?: EgressBookState, connected: ReadonlySet<string> = new Set(), nowMs = 0) {
		this.#runners = new Map(state?.runners.map((runner) => [runner.runnerId, { ...runner, heardAtMs: nowMs }]));
		this.#assignments = new Map(state?.assignments.map((assignment) => [assignment.jobId, assignment]));
		for (const runnerId of [...this.#runners.keys()].filter((id) => !connected.has(id))) {
			this.gone(runnerId, nowMs);
		}
	}

	/** What must be stored. */
	state(): EgressBookState {
		return { runners: [...this.#runners.values()], assignments: [...this.#assignments.values()] };
	}

	/** Whether what is stored is out of date; says so once. */
	takeChanged(): boolean {
		const changed = this.#changed;
		this.#changed = false;
		return changed;
	}

	/** What is to be done, in order; each is handed out once. */
	takeEffects(): EgressEffect[] {
		const effects = this.#effects;
		this.#effects = [];
		return effects;
	}

	acquire(job: EgressJob, nowMs: number): EgressJobAnswer {
		const { jobId, fence } = job;
		const held = this.#assignments.get(jobId);
		if (held !== undefined && held.fence > fence) {
			return { outcome: "stale", fence: held.fence };
		}
		if (held !== undefined && held.fence === fence && !held.ending) {
			// While its runner is away the job waits for it; that it is lost is told when it is.
			this.#send(held.runnerId, { type: "egress-start", job });
			return { outcome: "assigned" };
		}
		if (held !== undefined && this.#isAway(held.runnerId, nowMs)) {
			const reason = "pool: expected the runner that had it to be back or to have given up, got neither yet";
			return { outcome: "none", reason };
		}
		if (held !== undefined) {
			this.#send(held.runnerId, { type: "egress-stop", jobId, fence: held.fence, final: false });
			this.#forget(jobId);
		}
		const runnerId = this.#roomiest(nowMs);
		if (runnerId === undefined) {
			return {
				outcome: "none",
				reason: "pool: expected a runner with room for a destination, got none: one is needed",
			};
		}
		this.#assignments.set(jobId, { jobId, fence, runnerId, ending: false });
		this.#changed = true;
		this.#send(runnerId, { type: "egress-start", job });
		return { outcome: "assigned" };
	}

	/** Nobody wants the job any more. Unknown ones, and older fences, are ignored. */
	release({ jobId, fence }: EgressJobName): void {
		const held = this.#assignments.get(jobId);
		if (held === undefined || held.fence > fence) {
			return;
		}
		if (this.#runners.get(held.runnerId)?.goneAtMs !== undefined) {
			this.#assignments.set(jobId, { ...held, ending: true });
			this.#changed = true;
			return;
		}
		this.#send(held.runnerId, { type: "egress-stop", jobId, fence: held.fence, final: true });
		// Kept until it has said that it has stopped: the last word is for the Egress that waits for it.
		this.#assignments.set(jobId, { ...held, ending: true });
		this.#changed = true;
	}

	/** A runner connected, for the first time or again. It keeps the jobs it still has; those it does not have are lost. */
	hello({ runnerId, egressPlaces, egressJobs }: Hello, nowMs: number): void {
		this.#runners.set(runnerId, { runnerId, places: egressPlaces, heardAtMs: nowMs });
		this.#changed = true;
		for (const held of this.#assignmentsOf(runnerId)) {
			const hasIt = egressJobs.some(({ jobId, fence }) => jobId === held.jobId && fence === held.fence);
			if (held.ending && hasIt) {
				this.#send(runnerId, { type: "egress-stop", jobId: held.jobId, fence: held.fence, final: true });
			} else if (!hasIt) {
				this.#lose(held, "pool: the runner came back without it");
			}
		}
		for (const { jobId, fence } of egressJobs) {
			this.#stopUnlessHeld(runnerId, jobId, fence);
		}
	}

	heard(runnerId: string, nowMs: number): void {
		const runner = this.#runners.get(runnerId);
		if (runner !== undefined) {
			// Not worth storing.
			this.#runners.set(runnerId, { ...runner, heardAtMs: nowMs });
		}
	}

	/** What a runner says of a job, handed on to its Egress while it is the runner's. */
	report(
		runnerId: string,
		message: Extract<RunnerMessage, { type: "egress-status" | "egress-tested" | "egress-lost" }>,
		nowMs: number,
	): void {
		this.heard(runnerId, nowMs);
		const { jobId, fence } = message;
		const held = this.#stopUnlessHeld(runnerId, jobId, fence, message.type !== "egress-status");
		if (held === undefined) {
			return;
		}
		switch (message.type) {
			case "egress-lost":
				this.#lose(held, message.reason);
				return;
			case "egress-tested":
				this.#tell(jobId, { kind: "tested", fence, report: message.report });
				this.#forget(jobId);
				return;
			case "egress-status": {
				this.#tell(jobId, { kind: "status", fence, report: message.report });
				const { state } = message.report.status;
				if (state === "refused" || state === "stopped") {
					this.#forget(jobId);
				}
			}
		}
	}

	/** A runner's socket closed: it has time to come back. */
	gone(runnerId: string, nowMs: number): void {
		const runner = this.#runners.get(runnerId);
		if (runner !== undefined && runner.goneAtMs === undefined) {
			this.#runners.set(runnerId, { ...runner, goneAtMs: nowMs });
			this.#changed = true;
		}
	}

	/** Gives up what has been away for too long. */
	expire(nowMs: number): void {
		for (const runner of [...this.#runners.values()].filter((one) => nowMs >= lostAtMs(one))) {
			const { runnerId, goneAtMs } = runner;
			for (const held of this.#assignmentsOf(runnerId)) {
				this.#lose(held, "pool: its runner has been out of reach for too long");
			}
			if (goneAtMs === undefined) {
				this.#effects.push({ kind: "hang-up", runnerId });
			}
			this.#runners.delete(runnerId);
			this.#changed = true;
		}
	}

	/** When {@link expire} has something to do if nothing else happens; `undefined` when nothing can. */
	nextDeadlineMs(): number | undefined {
		const deadlines = [...this.#runners.values()]
			.filter(({ runnerId, goneAtMs }) => goneAtMs !== undefined || this.#assignmentsOf(runnerId).length > 0)
			.map(lostAtMs);
		return deadlines.length === 0 ? undefined : Math.min(...deadlines);
	}

	#roomiest(nowMs: number): string | undefined {
		const [best] = [...this.#runners.values()]
			.filter(({ runnerId }) => !this.#isAway(runnerId, nowMs))
			.map(({ runnerId, places }) => ({ runnerId, free: places - this.#assignmentsOf(runnerId).length }))
			.filter(({ free }) => free > 0)
			.toSorted((a, b) => b.free - a.free || a.runnerId.localeCompare(b.runnerId));
		return best?.runnerId;
	}

	#isAway(runnerId: string, nowMs: number): boolean {
		const runner = this.#runners.get(runnerId);
		return runner === undefined || runner.goneAtMs !== undefined || nowMs - runner.heardAtMs >= SILENT_AFTER_MS;
	}

	/** The assignment, where the runner has it; otherwise the runner is told to drop the line, unless it has already. */
	#stopUnlessHeld(runnerId: string, jobId: string, fence: number, isOver = false): EgressAssignment | undefined {
		const held = this.#assignments.get(jobId);
		if (held?.runnerId === runnerId && held.fence === fence) {
			return held;
		}
		if (!isOver) {
			this.#send(runnerId, { type: "egress-stop", jobId, fence, final: false });
		}
		return undefined;
	}

	#assignmentsOf(runnerId: string): EgressAssignment[] {
		return [...this.#assignments.values()].filter((held) => held.runnerId === runnerId);
	}

	#lose({ jobId, fence }: EgressAssignment, reason: string): void {
		this.#forget(jobId);
		this.#tell(jobId, { kind: "lost", fence, reason });
	}

	#forget(jobId: string): void {
		this.#changed = this.#assignments.delete(jobId) || this.#changed;
	}

	#send(runnerId: string, message: PoolMessage): void {
		this.#effects.push({ kind: "send", runnerId, message });
	}

	#tell(jobId: string, word: EgressRunnerWord): void {
		this.#effects.push({ kind: "tell-egress", jobId, word });
	}
}

function lostAtMs({ goneAtMs, heardAtMs }: EgressRunner): number {
	return (goneAtMs ?? heardAtMs) + EGRESS_LOST_AFTER_MS;
}
