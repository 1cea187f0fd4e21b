import type { LayoutName } from "../../media/layout.ts";
import type { BroadcastView, DestinationView, NewBroadcast, NewDestination } from "../protocol/broadcast-commands.ts";
import type { EgressStatus, LeaseChange, ProgramChange, StreamChange } from "../protocol/object-rpc.ts";
import { done, type Outcome, refused } from "../protocol/problem.ts";
import type { PersonId } from "../protocol/roles.ts";
import {
	type BroadcastRecord,
	broadcastView,
	type DestinationRecord,
	destinationView,
	endedRecord,
	newBroadcastRecord,
	newDestinationRecord,
	shownDestinations,
	withDestination,
	withLayout,
	withoutDestination,
} from "./broadcast-record.ts";
import { changed as leaseAfter } from "./lease-phase.ts";
import { type LifecycleCommand, statusAfter } from "./lifecycle.ts";
import { type BroadcastAudience, type BroadcastStore, RecordKeeper } from "./record-keeper.ts";
import { Settling } from "./settling.ts";
import { withStream } from "./stream-word.ts";
import type { WorkRunner } from "./work-runner.ts";

/** A program leaves for a handful of services at most; each costs a connection and the program's bitrate. */
export const MAX_DESTINATIONS = 8;

/**
 * The control plane of one broadcast: it changes the record by commands and by word from fellow objects, and brings the world in line with the
 * record. Commands answer once the record is stored and the work that follows has been tried; work that failed is tried again later.
 */
export class BroadcastControl {
	readonly #keeper: RecordKeeper;
	readonly #work: WorkRunner;
	readonly #settling: Settling;

	/** `random` gives numbers in [0, 1) for jitter. */
	constructor(
		record: BroadcastRecord | undefined,
		parts: { store: BroadcastStore; audience: BroadcastAudience; work: WorkRunner; random: () => number },
	) {
		this.#keeper = new RecordKeeper(record, parts);
		this.#work = parts.work;
		this.#settling = new Settling(this.#keeper, parts.work);
	}

	/** The record of a broadcast that exists. */
	get record(): BroadcastRecord | undefined {
		return this.#keeper.record?.deleted ? undefined : this.#keeper.record;
	}

	async create(
		input: NewBroadcast,
		streamKeyHashes: Readonly<Record<PersonId, string>>,
		newId: () => string,
		nowMs: number,
	): Promise<Outcome<BroadcastView>> {
		if (this.#keeper.record !== undefined) {
			return refused("internal-error", "broadcast: expected an id that was never used, got one that was");
		}
		if (input.destinations.length > MAX_DESTINATIONS) {
			return tooManyDestinations(input.destinations.length);
		}
		const destinations = input.destinations.map((destination) => newDestinationRecord(newId(), destination));
		const record = newBroadcastRecord(input, streamKeyHashes, destinations, nowMs);
		await this.#keeper.change(record, nowMs);
		await this.settle(nowMs);
		return done(broadcastView(this.#keeper.record ?? record));
	}

	view(): Outcome<BroadcastView> {
		const record = this.record;
		return record === undefined ? notFound() : done(broadcastView(record));
	}

	start(nowMs: number): Promise<Outcome<BroadcastView>> {
		return this.#transition("start", nowMs, (record) => ({ ...record, startedAtMs: nowMs }));
	}

	/**
	 * Works on a broken broadcast too: the end is stored first, and what does not answer then is given up after a few seconds and tried again later.
	 * @param reason in words, shown to whoever looks at the broadcast; that of the first end counts
	 */
	async end(reason: string, nowMs: number): Promise<Outcome<BroadcastView>> {
		return this.#transition("end", nowMs, (record) => endedRecord(record, reason, nowMs));
	}

	/** Refused while the broadcast is live, so that no slip of the hand takes it off air for good. */
	async remove(nowMs: number): Promise<Outcome<null>> {
		const allowed = this.#allowed("delete");
		if (!allowed.ok) {
			return allowed;
		}
		await this.#keeper.change({ ...allowed.value, deleted: true, indexed: false, failedRounds: 0 }, nowMs);
		this.#keeper.audience.dismissAll("broadcast: it was deleted");
		await this.settle(nowMs);
		return done(null);
	}

	async setLayout(layout: LayoutName, nowMs: number): Promise<Outcome<BroadcastView>> {
		const allowed = this.#allowed("change");
		if (!allowed.ok) {
			return allowed;
		}
		const next = withLayout(allowed.value, layout);
		if (next !== allowed.value) {
			await this.#keeper.change(next, nowMs);
			await this.settle(nowMs);
		}
		return done(broadcastView(next));
	}

	listDestinations(): Outcome<readonly DestinationView[]> {
		const record = this.record;
		return record === undefined ? notFound() : done(shownDestinations(record).map(destinationView));
	}

	async addDestination(id: string, destination: NewDestination, nowMs: number): Promise<Outcome<DestinationView>> {
		const allowed = this.#allowed("change");
		if (!allowed.ok) {
			return allowed;
		}
		const record = allowed.value;
		if (shownDestinations(record).length >= MAX_DESTINATIONS) {
			return tooManyDestinations(MAX_DESTINATIONS + 1);
		}
		const added = newDestinationRecord(id, destination);
		await this.#keeper.change({ ...record, destinations: [...record.destinations, added] }, nowMs);
		await this.settle(nowMs);
		return done(destinationView(this.#destination(id) ?? added));
	}

	/** Allowed in every state; the Egress is stopped first. */
	async removeDestination(destinationId: string, nowMs: number): Promise<Outcome<null>> {
		const record = this.record;
		const destination = this.#destination(destinationId);
		if (record === undefined) {
			return notFound();
		}
		if (destination === undefined) {
			return refused("not-found", "destination: expected one of this broadcast's, got an id that is none of them");
		}
		const untouched = destination.egress === "idle" || destination.egress === "stopped";
		await this.#keeper.change(
			untouched ? withoutDestination(record, destinationId) : withDestination(record, destinationId, { removed: true }),
			nowMs,
		);
		await this.settle(nowMs);
		return done(null);
	}

	/** Like all that fellow objects tell: the work that follows is done by {@link settle}, which the caller must not make them wait for. */
	async streamChanged(change: StreamChange, nowMs: number): Promise<void> {
		const record = this.record;
		if (record !== undefined && record.status !== "ended") {
			await this.#keeper.change(withStream(record, change, nowMs, this.#keeper.random()), nowMs);
		}
	}

	async programChanged({ source }: ProgramChange, nowMs: number): Promise<void> {
		const record = this.record;
		if (record !== undefined && record.status !== "ended") {
			await this.#keeper.change({ ...record, programSource: source }, nowMs);
		}
	}

	async holdExpired(nowMs: number): Promise<void> {
		const record = this.record;
		if (record?.status === "live") {
			await this.#keeper.change(endedRecord(record, `nothing came for ${record.holdSeconds} s`, nowMs), nowMs);
		}
	}

	/** What hangs on the Router is looked after: it may have been cut off without knowing. */
	async routerRestarted(nowMs: number): Promise<void> {
		const record = this.record;
		if (record === undefined || record.status === "ended") {
			return;
		}
		const { acknowledgedPlan: _, ...rest } = record;
		const destinations = record.destinations.map((each) => ({ ...each, resume: each.egress === "started" }));
		const isHeld = record.lease.leaseId !== undefined;
		await this.#keeper.change(
			{ ...rest, destinations, lease: isHeld ? { ...record.lease, dueAtMs: nowMs } : record.lease },
			nowMs,
		);
	}

	async egressChanged(destinationId: string, status: EgressStatus, nowMs: number): Promise<void> {
		const record = this.record;
		const known = this.#destination(destinationId);
		if (record === undefined || known === undefined) {
			return;
		}
		if (known.state !== status.state || known.lastError !== status.lastError) {
			const { lastError: _, ...rest } = known;
			const next: DestinationRecord = {
				...rest,
				state: status.state,
				...(status.lastError === undefined ? {} : { lastError: status.lastError }),
			};
			const destinations = record.destinations.map((other) => (other.id === destinationId ? next : other));
			await this.#keeper.change({ ...record, destinations }, nowMs);
		}
	}

	async leaseChanged(change: LeaseChange, nowMs: number): Promise<void> {
		const record = this.#keeper.record;
		const held = change.state === "assigned" || change.state === "running";
		if (record === undefined) {
			return held ? this.#work.releaseUnknownLease(change.leaseId) : undefined;
		}
		if (record.status !== "live" || record.lease.phase === "none") {
			const { leaseId, ...lease } = record.lease;
			if (held) {
				// Granted too late: noted, to be given back.
				await this.#keeper.change({ ...record, lease: { ...lease, leaseId: change.leaseId } }, nowMs);
			} else if (leaseId === change.leaseId) {
				await this.#keeper.change({ ...record, lease }, nowMs);
			}
			return;
		}
		const lease = leaseAfter(record.lease, change, nowMs, this.#keeper.random());
		if (lease !== record.lease) {
			await this.#keeper.change({ ...record, lease }, nowMs);
		}
	}

	/** See {@link Settling.settle}; never rejects because of a fellow object. */
	settle(nowMs: number): Promise<void> {
		return this.#settling.settle(nowMs);
	}

	async #transition(
		command: "start" | "end",
		nowMs: number,
		apply: (record: BroadcastRecord) => BroadcastRecord,
	): Promise<Outcome<BroadcastView>> {
		const record = this.record;
		if (record === undefined) {
			return notFound();
		}
		const status = statusAfter(record.status, command);
		if (!status.ok) {
			return status;
		}
		if (status.value !== record.status) {
			await this.#keeper.change({ ...apply(record), status: status.value, indexed: false }, nowMs);
		}
		await this.settle(nowMs);
		return done(broadcastView(this.#keeper.record ?? record));
	}

	#allowed(command: LifecycleCommand): Outcome<BroadcastRecord> {
		const record = this.record;
		if (record === undefined) {
			return notFound();
		}
		const status = statusAfter(record.status, command);
		return status.ok ? done(record) : status;
	}

	#destination(id: string): DestinationRecord | undefined {
		return this.#keeper.record?.destinations.find((destination) => destination.id === id && !destination.removed);
	}
}

export function notFound(): Outcome<never> {
	return refused("not-found", "broadcast: expected one that exists, got an id that names none");
}

function tooManyDestinations(got: number): Outcome<never> {
	return refused("too-many", `destination: expected at most ${MAX_DESTINATIONS} a broadcast, got ${got}`);
}
