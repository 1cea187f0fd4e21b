import type { LeaseAnswer, LeaseChange, LeaseRequest, LeaseStanding, PoolStats } from "../protocol/object-rpc.ts";
import type { PoolMessage, RunnerMessage } from "../protocol/pool-messages.ts";
import { chooseRunner } from "./choose-runner.ts";
import {
	deadlineMs,
	emptyBook,
	isSilent,
	type LeaseBookState,
	type LeaseRecord,
	RECONNECT_TIMEOUT_MS,
	type RunnerRecord,
} from "./lease-records.ts";

/** Broadcasts that wait for a compositor; more than this means the fleet is far too small, and waiting longer will not help. */
export const MAX_WAITING = 64;
/** Far more boxes than one pool is meant for. */
export const MAX_RUNNERS = 256;

/** What the book wants done after a change. */
export type PoolEffect =
	| { readonly kind: "send"; readonly runnerId: string; readonly message: LeaseMessage }
	| { readonly kind: "tell"; readonly broadcastId: string; readonly change: LeaseChange };

type Heartbeat = Extract<RunnerMessage, { type: "heartbeat" }>;
type Hello = Omit<Extract<RunnerMessage, { type: "hello" }>, "egressPlaces" | "egressJobs">;
type LeaseMessage = Extract<PoolMessage, { type: "assign" | "release" }>;

/**
 * Who runs which compositor. A lease is alive while its program's frame counter rises, not while a process or a socket is there; everything else
 * ends it. Time is passed in, in milliseconds since the epoch.
 */
export class LeaseBook {
	readonly #runners: Map<string, RunnerRecord>;
	/** In the order they were asked for, so that the longest waiting is served first. */
	readonly #leases: Map<string, LeaseRecord>;
	#effects: PoolEffect[] = [];
	#changed = false;

	/**
	 * @param state as stored, or nothing for an empty book
	 * @param connected the runners whose sockets are open now
	 */
	constructor(state: LeaseBookState = emptyBook(), connected: ReadonlySet<string> = new Set(), nowMs = 0) {
		this.#runners = new Map(state.runners.map((runner) => [runner.runnerId, runner]));
		this.#leases = new Map(state.leases.map((lease) => [lease.leaseId, lease]));
		this.#resume(connected, nowMs);
	}

	/** What must be stored: everything but the times of the last frames and heartbeats, which start anew after a restart. */
	state(): LeaseBookState {
		return { runners: [...this.#runners.values()], leases: [...this.#leases.values()] };
	}

	/** Whether what is stored is out of date; says so once. */
	takeChanged(): boolean {
		const changed = this.#changed;
		this.#changed = false;
		return changed;
	}

	/** What is to be done, in order; each is handed out once. */
	takeEffects(): PoolEffect[] {
		const effects = this.#effects;
		this.#effects = [];
		return effects;
	}

	/** Runners that are silent count, their places do not. */
	stats(nowMs: number): PoolStats {
		const connected = [...this.#runners.values()].filter((runner) => runner.goneAtMs === undefined);
		const leases = [...this.#leases.values()];
		return {
			runners: connected.length,
			capacity: connected.reduce((sum, runner) => sum + runner.capacity, 0),
			freePlaces: connected.reduce((sum, runner) => sum + Math.max(0, this.#freePlaces(runner, nowMs)), 0),
			leases: leases.filter((lease) => lease.phase !== "waiting").length,
			waiting: leases.filter((lease) => lease.phase === "waiting").length,
		};
	}

	standing(leaseId: string): LeaseStanding {
		const phase = this.#leases.get(leaseId)?.phase;
		return phase === undefined ? "unknown" : phase === "starting" ? "assigned" : phase;
	}

	/** Asking again for the same fence gives the same lease; a higher fence takes the place of the broadcast's older lease. */
	acquire(request: LeaseRequest, leaseId: string, nowMs: number): LeaseAnswer {
		const older = [...this.#leases.values()].find((lease) => lease.broadcastId === request.broadcastId);
		if (older !== undefined && older.fence === request.fence) {
			return { outcome: older.phase === "waiting" ? "waiting" : "assigned", leaseId: older.leaseId };
		}
		if (older !== undefined && older.fence > request.fence) {
			return { outcome: "refused", reason: `pool: expected a fence above ${older.fence}, got ${request.fence}` };
		}
		if (older !== undefined) {
			if (older.runnerId !== undefined) {
				// Its broadcast has seen it fail, maybe before its runner did.
				this.#noteFailure(older.runnerId, nowMs);
			}
			this.#drop(older, nowMs);
		}
		if (this.stats(nowMs).waiting >= MAX_WAITING) {
			return { outcome: "refused", reason: `pool: expected at most ${MAX_WAITING} broadcasts waiting, got one more` };
		}
		this.#putLease({ ...request, leaseId, phase: "waiting", programFrames: 0, sinceMs: nowMs });
		this.#assignWaiting(nowMs, leaseId);
		return { outcome: this.#leases.get(leaseId)?.phase === "waiting" ? "waiting" : "assigned", leaseId };
	}

	/** The broadcast needs the lease no longer. Unknown leases are ignored. */
	release(leaseId: string, nowMs: number): void {
		const lease = this.#leases.get(leaseId);
		if (lease !== undefined) {
			this.#drop(lease, nowMs);
		}
	}

	/** A runner connected, for the first time or again. It keeps the leases it still has, loses those it does not, and drops what is not its own. */
	hello(hello: Hello, nowMs: number): "welcome" | "full" {
		if (!this.#runners.has(hello.runnerId) && this.#runners.size >= MAX_RUNNERS) {
			return "full";
		}
		const { goneAtMs: _, ...known } = this.#runners.get(hello.runnerId) ?? { runnerId: hello.runnerId };
		this.#putRunner({ ...known, runnerId: hello.runnerId, capacity: hello.capacity, heardAtMs: nowMs });
		const held = new Set(hello.leaseIds);
		for (const lease of this.#leasesOf(hello.runnerId)) {
			if (held.has(lease.leaseId)) {
				this.#leases.set(lease.leaseId, renewed(lease, nowMs));
			} else {
				this.#lose(
					lease,
					`pool: expected runner ${hello.runnerId} to hold the lease still, got one that does not`,
					nowMs,
				);
			}
		}
		for (const leaseId of held) {
			if (this.#leases.get(leaseId)?.runnerId !== hello.runnerId) {
				this.#send(hello.runnerId, { type: "release", leaseId });
			}
		}
		this.#assignWaiting(nowMs);
		return "welcome";
	}

	heartbeat(runnerId: string, heartbeat: Heartbeat, nowMs: number): void {
		const wasSilent = this.#heard(runnerId, nowMs);
		for (const report of heartbeat.leases) {
			const lease = this.#leases.get(report.leaseId);
			if (lease?.runnerId !== runnerId) {
				this.#send(runnerId, { type: "release", leaseId: report.leaseId });
			} else if (report.programFrames > lease.programFrames) {
				this.#progress(lease, report.programFrames, nowMs);
			}
		}
		if (wasSilent) {
			this.#assignWaiting(nowMs);
		}
	}

	/** The runner ended an assignment, because it was told to or could not go on. */
	released(runnerId: string, leaseId: string, reason: string, nowMs: number): void {
		const wasSilent = this.#heard(runnerId, nowMs);
		const lease = this.#leases.get(leaseId);
		const isItsOwn = lease?.runnerId === runnerId;
		if (isItsOwn) {
			this.#end(lease, "released", reason);
			this.#noteFailure(runnerId, nowMs);
		}
		if (isItsOwn || wasSilent) {
			this.#assignWaiting(nowMs);
		}
	}

	/** The runner's socket closed. It may come back for its leases. */
	gone(runnerId: string, nowMs: number): void {
		const runner = this.#runners.get(runnerId);
		if (runner !== undefined && runner.goneAtMs === undefined) {
			this.#putRunner({ ...runner, goneAtMs: nowMs });
		}
	}

	/** Ends what is past its deadline. */
	expire(nowMs: number): void {
		for (const runner of [...this.#runners.values()]) {
			if (runner.goneAtMs !== undefined && nowMs >= deadlineMs(runner)) {
				for (const lease of this.#leasesOf(runner.runnerId)) {
					this.#end(lease, "lost", `pool: expected runner ${runner.runnerId} to come back, got nothing`);
				}
				this.#runners.delete(runner.runnerId);
				this.#changed = true;
			}
		}
		for (const lease of [...this.#leases.values()]) {
			const deadline = this.#leaseDeadlineMs(lease);
			if (deadline !== undefined && nowMs >= deadline) {
				const expected = lease.phase === "starting" ? "a first frame" : "another frame";
				this.#lose(lease, `pool: expected ${expected} of the program in time, got none`, nowMs);
			}
		}
		this.#assignWaiting(nowMs);
	}

	/** When {@link expire} has something to do if nothing else happens; `undefined` when nothing can. */
	nextDeadlineMs(): number | undefined {
		const runners = [...this.#runners.values()].filter((runner) => runner.goneAtMs !== undefined).map(deadlineMs);
		const leases = [...this.#leases.values()].map((lease) => this.#leaseDeadlineMs(lease));
		const deadlines = [...runners, ...leases].filter((deadline) => deadline !== undefined);
		return deadlines.length === 0 ? undefined : Math.min(...deadlines);
	}

	/**
	 * After a restart, when nobody was listening for a while: a running lease has its time again, a runner with a socket was just heard, and one
	 * without is gone from now on. A lease that is starting gets no more time: a pool that keeps going to sleep would let it start for ever.
	 */
	#resume(connected: ReadonlySet<string>, nowMs: number): void {
		for (const lease of this.#leases.values()) {
			this.#leases.set(lease.leaseId, renewed(lease, nowMs));
		}
		for (const runner of [...this.#runners.values()]) {
			this.#runners.set(runner.runnerId, { ...runner, heardAtMs: nowMs });
			if (!connected.has(runner.runnerId)) {
				this.gone(runner.runnerId, nowMs);
			}
		}
		this.#assignWaiting(nowMs);
	}

	#progress(lease: LeaseRecord, programFrames: number, nowMs: number): void {
		const isFirst = lease.phase === "starting";
		this.#leases.set(lease.leaseId, { ...lease, phase: "running", programFrames, sinceMs: nowMs });
		if (isFirst) {
			this.#changed = true;
			this.#tell(lease, "running", "pool: its first frame was made");
		}
	}

	/**
	 * While its runner is away a lease waits for the runner, not for frames. One that is starting is not waited for longer when its runner says
	 * nothing than when it is away.
	 */
	#leaseDeadlineMs(lease: LeaseRecord): number | undefined {
		const runner = lease.runnerId === undefined ? undefined : this.#runners.get(lease.runnerId);
		const ownMs = deadlineMs(lease);
		if (runner === undefined || runner.goneAtMs !== undefined || ownMs === undefined) {
			return undefined;
		}
		return lease.phase === "starting" ? Math.min(ownMs, runner.heardAtMs + RECONNECT_TIMEOUT_MS) : ownMs;
	}

	/** Notes that a runner said something, which is not worth storing. Whether that was a surprise. */
	#heard(runnerId: string, nowMs: number): boolean {
		const runner = this.#runners.get(runnerId);
		if (runner === undefined) {
			return false;
		}
		this.#runners.set(runnerId, { ...runner, heardAtMs: nowMs });
		return isSilent(runner, nowMs);
	}

	#assignWaiting(nowMs: number, quietLeaseId?: string): void {
		for (const lease of [...this.#leases.values()].filter(({ phase }) => phase === "waiting")) {
			const candidates = [...this.#runners.values()].map((runner) => ({
				runner,
				freePlaces: this.#freePlaces(runner, nowMs),
			}));
			const runnerId = chooseRunner(candidates, nowMs);
			if (runnerId === undefined) {
				return;
			}
			const { leaseId, broadcastId, fence, token, requestId } = lease;
			const request = requestId === undefined ? {} : { requestId };
			this.#putLease({ ...lease, phase: "starting", runnerId, sinceMs: nowMs });
			this.#send(runnerId, { type: "assign", leaseId, broadcastId, fence, token, ...request });
			if (leaseId !== quietLeaseId) {
				this.#tell(lease, "assigned", `pool: runner ${runnerId} has a place for it`);
			}
		}
	}

	/** Ends a lease that its runner may still be working on. */
	#lose(lease: LeaseRecord, reason: string, nowMs: number): void {
		if (lease.runnerId !== undefined) {
			this.#send(lease.runnerId, { type: "release", leaseId: lease.leaseId });
			this.#noteFailure(lease.runnerId, nowMs);
		}
		this.#end(lease, "lost", reason);
	}

	/** Ends a lease its broadcast gave up itself: there is nobody to tell but the runner. */
	#drop(lease: LeaseRecord, nowMs: number): void {
		this.#leases.delete(lease.leaseId);
		this.#changed = true;
		if (lease.runnerId !== undefined) {
			this.#send(lease.runnerId, { type: "release", leaseId: lease.leaseId });
		}
		this.#assignWaiting(nowMs);
	}

	#end(lease: LeaseRecord, state: "lost" | "released", reason: string): void {
		this.#leases.delete(lease.leaseId);
		this.#changed = true;
		this.#tell(lease, state, reason);
	}

	#noteFailure(runnerId: string, nowMs: number): void {
		const runner = this.#runners.get(runnerId);
		if (runner !== undefined) {
			this.#putRunner({ ...runner, lastFailureAtMs: nowMs });
		}
	}

	#freePlaces(runner: RunnerRecord, nowMs: number): number {
		return runner.goneAtMs === undefined && !isSilent(runner, nowMs)
			? runner.capacity - this.#leasesOf(runner.runnerId).length
			: 0;
	}

	#leasesOf(runnerId: string): LeaseRecord[] {
		return [...this.#leases.values()].filter((lease) => lease.runnerId === runnerId);
	}

	#putLease(lease: LeaseRecord): void {
		this.#leases.set(lease.leaseId, lease);
		this.#changed = true;
	}

	#putRunner(runner: RunnerRecord): void {
		this.#runners.set(runner.runnerId, runner);
		this.#changed = true;
	}

	#send(runnerId: string, message: LeaseMessage): void {
		this.#effects.push({ kind: "send", runnerId, message });
	}

	#tell(lease: LeaseRecord, state: LeaseChange["state"], reason: string): void {
		const { broadcastId, leaseId, fence } = lease;
		this.#effects.push({ kind: "tell", broadcastId, change: { leaseId, fence, state, reason } });
	}
}

/** The lease with the time for its next frame from now on; the time for its first one is counted once. */
function renewed(lease: LeaseRecord, nowMs: number): LeaseRecord {
	return lease.phase === "running" ? { ...lease, sinceMs: nowMs } : lease;
}
