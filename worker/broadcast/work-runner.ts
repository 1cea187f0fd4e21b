import type { CompositorPoolRpc, EgressRpc, RouterRpc } from "../protocol/object-rpc.ts";
import type { TokenClaim } from "../protocol/roles.ts";
import {
	type BroadcastRecord,
	egressConfig,
	personOf,
	withDestination,
	withoutDestination,
} from "./broadcast-record.ts";
import { isListedAlike } from "./index-entry.ts";
import { answered, checked, dropped, failed, requested } from "./lease-phase.ts";
import type { WorkStep } from "./outstanding-work.ts";
import { programPlan } from "./program-plan.ts";
import { withoutVanished } from "./stream-word.ts";

/** A fellow object that takes longer is tried again later: one that hangs must not hold up the others, nor the answer to a command. */
export const STEP_TIMEOUT_MS = 5_000;

/** The row of this broadcast in the list of broadcasts. */
export interface BroadcastIndex {
	/** A row of a newer version stays. */
	put(record: BroadcastRecord, nowMs: number): Promise<void>;
	remove(broadcastId: string): Promise<void>;
}

export interface WorkPorts {
	router(broadcastId: string): RouterRpc;
	egress(broadcastId: string, destinationId: string): EgressRpc;
	pool(): CompositorPoolRpc;
	readonly index: BroadcastIndex;
	/** The broadcast begins soon: those who asked for it are to be reminded. May be called twice. */
	remindersDue(record: BroadcastRecord, nowMs: number): Promise<void>;
	compositorToken(broadcastId: string, fence: number): Promise<string>;
	/** Resolves after that long, or never once `signal` is aborted. */
	delay(ms: number, signal: AbortSignal): Promise<void>;
	/** Where a step that failed is told; the error never holds a key. */
	report(step: WorkStep["kind"], error: unknown): void;
}

/** The record as others may change it while a step waits for an answer. */
export interface RecordAccess {
	read(): BroadcastRecord | undefined;
	change(next: BroadcastRecord): Promise<void>;
	fenceRaised(fence: number): void;
	random(): number;
}

/** Carries out the steps of outstanding work, and writes into the record what they achieved. */
export class WorkRunner {
	readonly #ports: WorkPorts;

	constructor(ports: WorkPorts) {
		this.#ports = ports;
	}

	/** Whether the step succeeded; failures are reported and leave the record asking for it again. */
	async run(step: WorkStep, access: RecordAccess, nowMs: number): Promise<boolean> {
		const waiting = new AbortController();
		const timeout = this.#ports.delay(STEP_TIMEOUT_MS, waiting.signal).then(() => {
			throw new Error(`broadcast: expected an answer within ${STEP_TIMEOUT_MS} ms, got none`);
		});
		try {
			await Promise.race([this.#carryOut(step, access, nowMs), timeout]);
			return true;
		} catch (error) {
			this.#ports.report(step.kind, error);
			return false;
		} finally {
			waiting.abort();
		}
	}

	/** For a lease of a broadcast that no longer exists. */
	async releaseUnknownLease(leaseId: string): Promise<void> {
		await this.#ports.pool().release(leaseId, "broadcast: it no longer exists");
	}

	async #carryOut(step: WorkStep, access: RecordAccess, nowMs: number): Promise<void> {
		const record = access.read();
		if (record === undefined) {
			return;
		}
		const update = async (change: (current: BroadcastRecord) => BroadcastRecord): Promise<void> => {
			const current = access.read();
			if (current !== undefined) {
				await access.change(change(current));
			}
		};
		switch (step.kind) {
			case "open-router":
				await this.#ports.router(record.id).open({ broadcastId: record.id });
				return update((current) => ({ ...current, routerOpen: true }));
			case "plan-program": {
				const plan = programPlan(record, nowMs);
				await this.#ports.router(record.id).plan(plan);
				return update((current) => ({ ...current, acknowledgedPlan: plan }));
			}
			case "check-streams": {
				const stats = await this.#ports.router(record.id).stats();
				return update(({ streamsDueAtMs: _, ...current }) =>
					// What the Router said meanwhile is newer than its figures.
					current.liveStreams === record.liveStreams ? withoutVanished(current, stats, nowMs) : current,
				);
			}
			case "end-router":
				await this.#ports.router(record.id).end("broadcast: it has ended");
				return update((current) => ({ ...current, routerOpen: false, liveStreams: [] }));
			case "disconnect":
				await this.#ports
					.router(record.id)
					.disconnect(claimsOf(record, step.people), "auth: what it came with was made worthless");
				return update((current) => ({
					...current,
					// Whoever was added meanwhile has not been cut off yet.
					toDisconnect: current.toDisconnect === record.toDisconnect ? [] : current.toDisconnect,
				}));
			case "start-egress":
				return this.#startEgress(step.destinationId, record, update);
			case "resume-egress":
				await this.#ports.egress(record.id, step.destinationId).resume();
				return update((current) => withDestination(current, step.destinationId, { resume: false }));
			case "stop-egress":
				await this.#ports
					.egress(record.id, step.destinationId)
					.stop("broadcast: its program has ended for this destination");
				return update((current) => withStoppedEgress(current, step.destinationId));
			case "request-lease":
				return this.#requestLease(access, nowMs);
			case "check-lease": {
				const standing = await this.#ports.pool().standing(step.leaseId);
				return update((current) =>
					current.lease.leaseId === step.leaseId
						? { ...current, lease: checked(current.lease, standing, nowMs, access.random()) }
						: current,
				);
			}
			case "release-lease":
				await this.#ports.pool().release(step.leaseId, "broadcast: it needs no compositor any more");
				return update((current) =>
					current.lease.leaseId === step.leaseId ? { ...current, lease: dropped(current.lease) } : current,
				);
			case "remind":
				await this.#ports.remindersDue(record, nowMs);
				return update((current) =>
					record.scheduledStartMs === undefined ? current : { ...current, remindedForMs: record.scheduledStartMs },
				);
			case "index":
				await this.#ports.index.put(record, nowMs);
				return update((current) => ({
					...current,
					// What changed meanwhile is not in the list yet.
					indexed: isListedAlike(current, record),
					indexedAtMs: nowMs,
				}));
			case "unindex":
				await this.#ports.index.remove(record.id);
				return update((current) => ({ ...current, indexed: true }));
		}
	}

	async #startEgress(
		destinationId: string,
		record: BroadcastRecord,
		update: (change: (current: BroadcastRecord) => BroadcastRecord) => Promise<void>,
	): Promise<void> {
		const destination = record.destinations.find(({ id }) => id === destinationId);
		if (destination === undefined) {
			return;
		}
		// Written first: an Egress that may have started must be stopped in the end, even when its answer is lost.
		await update((current) => withDestination(current, destinationId, { egress: "starting", state: "connecting" }));
		await this.#ports.egress(record.id, destinationId).start(egressConfig(record, destination));
		await update((current) =>
			// Under another key meanwhile: it is started once more.
			current.destinations.find(({ id }) => id === destinationId)?.sealedAddress === destination.sealedAddress
				? withDestination(current, destinationId, { egress: "started" })
				: current,
		);
	}

	async #requestLease(access: RecordAccess, nowMs: number): Promise<void> {
		const before = access.read();
		if (before === undefined) {
			return;
		}
		// Written first: a fence is never used twice, whatever happens to the answer.
		const lease = requested(before.lease, nowMs);
		await access.change({ ...before, lease });
		access.fenceRaised(lease.fence);
		try {
			const token = await this.#ports.compositorToken(before.id, lease.fence);
			const request = before.requestId === undefined ? {} : { requestId: before.requestId };
			const asked = { broadcastId: before.id, fence: lease.fence, token, ...request };
			const answer = await this.#ports.pool().acquire(asked);
			const current = access.read();
			if (current !== undefined) {
				await access.change({
					...current,
					lease: answered(current.lease, lease.fence, answer, nowMs, access.random()),
				});
			}
		} catch (error) {
			const current = access.read();
			if (current?.lease.fence === lease.fence && current.lease.phase === "requesting") {
				await access.change({
					...current,
					lease: failed(current.lease, "broadcast: the pool did not answer", nowMs, access.random()),
				});
			}
			throw error;
		}
	}
}

/** What counts of these people's credentials now. */
function claimsOf(record: BroadcastRecord, people: BroadcastRecord["toDisconnect"]): TokenClaim[] {
	return people.map((person) => ({
		person,
		// A place that is no more counts for nobody.
		credentialsVersion:
			person === "viewer" ? record.viewerVersion : (personOf(record, person)?.credentialsVersion ?? record.version + 1),
	}));
}

/** A destination that was taken off is forgotten once its Egress has stopped. */
function withStoppedEgress(record: BroadcastRecord, destinationId: string): BroadcastRecord {
	const removed = record.destinations.some(({ id, removed }) => id === destinationId && removed);
	return removed
		? withoutDestination(record, destinationId)
		: withDestination(record, destinationId, { egress: "stopped", state: "stopped" });
}
