import type { LayoutName } from "../../media/layout.ts";
import { type RetryPolicy, retryDelayMs } from "../../media/retry-delay.ts";
import type { BroadcastView, DestinationView, NewBroadcast, NewDestination } from "../protocol/broadcast-commands.ts";
import type { EgressStatus, LeaseChange, StreamChange } from "../protocol/object-rpc.ts";
import { done, type Outcome, refused } from "../protocol/problem.ts";
import type { PersonId } from "../protocol/roles.ts";
import {
	type BroadcastRecord,
	broadcastView,
	type DestinationRecord,
	destinationView,
	newBroadcastRecord,
	newDestinationRecord,
	shownDestinations,
	withDestination,
	withLayout,
	withoutDestination,
} from "./broadcast-record.ts";
import { changed as leaseAfter } from "./lease-phase.ts";
import { type LifecycleCommand, statusAfter } from "./lifecycle.ts";
import { nextWakeMs, outstandingWork } from "./outstanding-work.ts";
import type { WorkRunner } from "./work-runner.ts";

/** A program leaves for a handful of services at most; each costs a connection and the program's bitrate. */
export const MAX_DESTINATIONS = 8;

/** A fellow object that does not answer is asked again soon, then ever less often. */
const RETRY: RetryPolicy = { firstMs: 1_000, capMs: 30_000 };
/** An ended broadcast gives up tidying after about five minutes: everything it started ends by itself once the Router has. */
const MAX_FAILED_ROUNDS_ENDED = 15;
/** Work that a restart cut short is found again after this long: more than a round's two stages take at worst. */
const INTERRUPTED_AFTER_MS = 15_000;

export interface BroadcastStore {
	save(record: BroadcastRecord): Promise<void>;
	/** Forgets everything, the alarm included. */
	clear(): Promise<void>;
	/** Calls {@link BroadcastControl.settle} at that time; `undefined` cancels. */
	wakeAt(timeMs: number | undefined): Promise<void>;
}

/** What the control sockets are to be told after a change. */
export interface BroadcastAudience {
	sceneChanged(record: BroadcastRecord): void;
	statusChanged(record: BroadcastRecord): void;
	/** A newer compositor was asked for: those with a lower fence are dismissed. */
	fenceRaised(fence: number): void;
	/** The broadcast is over or deleted: nobody stays. */
	dismissAll(reason: string): void;
}

/**
 * The control plane of one broadcast: it changes the record by commands and by word from fellow objects, and brings the world in line with the
 * record. Commands answer once the record is stored and the work that follows has been tried; work that failed is tried again later.
 */
export class BroadcastControl {
	readonly #store: BroadcastStore;
	readonly #audience: BroadcastAudience;
	readonly #work: WorkRunner;
	readonly #random: () => number;
	#record: BroadcastRecord | undefined;
	#settling: Promise<void> = Promise.resolve();

	/** `random` gives numbers in [0, 1) for jitter. */
	constructor(
		record: BroadcastRecord | undefined,
		parts: { store: BroadcastStore; audience: BroadcastAudience; work: WorkRunner; random: () => number },
	) {
		this.#record = record;
		this.#store = parts.store;
		this.#audience = parts.audience;
		this.#work = parts.work;
		this.#random = parts.random;
	}

	/** The record of a broadcast that exists. */
	get record(): BroadcastRecord | undefined {
		return this.#record?.deleted ? undefined : this.#record;
	}

	async create(
		input: NewBroadcast,
		streamKeyHashes: Readonly<Record<PersonId, string>>,
		newId: () => string,
		nowMs: number,
	): Promise<Outcome<BroadcastView>> {
		if (this.#record !== undefined) {
			return refused("internal-error", "broadcast: expected an id that was never used, got one that was");
		}
		if (input.destinations.length > MAX_DESTINATIONS) {
			return tooManyDestinations(input.destinations.length);
		}
		const destinations = input.destinations.map((destination) => newDestinationRecord(newId(), destination));
		const record = newBroadcastRecord(input, streamKeyHashes, destinations, nowMs);
		await this.#change(record);
		await this.settle(nowMs);
		return done(broadcastView(this.#record ?? record));
	}

	view(): Outcome<BroadcastView> {
		const record = this.record;
		return record === undefined ? notFound() : done(broadcastView(record));
	}

	start(nowMs: number): Promise<Outcome<BroadcastView>> {
		return this.#transition("start", nowMs, (record) => ({ ...record, startedAtMs: nowMs }));
	}

	async end(nowMs: number): Promise<Outcome<BroadcastView>> {
		return this.#transition("end", nowMs, (record) => ({
			...record,
			endedAtMs: nowMs,
			liveStreams: [],
			failedRounds: 0,
		}));
	}

	/** Refused while the broadcast is live, so that no slip of the hand takes it off air for good. */
	async remove(nowMs: number): Promise<Outcome<null>> {
		const allowed = this.#allowed("delete");
		if (!allowed.ok) {
			return allowed;
		}
		await this.#change({ ...allowed.value, deleted: true, indexed: false, failedRounds: 0 });
		this.#audience.dismissAll("broadcast: it was deleted");
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
			await this.#change(next);
			this.#audience.sceneChanged(next);
			this.#audience.statusChanged(next);
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
		await this.#change({ ...record, destinations: [...record.destinations, added] });
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
		await this.#change(
			untouched ? withoutDestination(record, destinationId) : withDestination(record, destinationId, { removed: true }),
		);
		await this.settle(nowMs);
		return done(null);
	}

	async streamChanged(change: StreamChange): Promise<void> {
		const record = this.record;
		if (record === undefined || record.status === "ended") {
			return;
		}
		const others = record.liveStreams.filter((stream) => stream !== change.stream);
		const liveStreams = change.state === "live" ? [...others, change.stream] : others;
		if (liveStreams.length !== record.liveStreams.length) {
			const next = { ...record, liveStreams };
			await this.#change(next);
			this.#audience.statusChanged(next);
		}
	}

	async egressChanged(destinationId: string, status: EgressStatus): Promise<void> {
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
			await this.#change({ ...record, destinations });
		}
	}

	/** The work that follows is done by {@link settle}, which the caller must not make the pool wait for. */
	async leaseChanged(change: LeaseChange, nowMs: number): Promise<void> {
		const record = this.#record;
		const held = change.state === "assigned" || change.state === "running";
		if (record === undefined) {
			return held ? this.#work.releaseUnknownLease(change.leaseId) : undefined;
		}
		if (record.status !== "live") {
			const { leaseId, ...lease } = record.lease;
			if (held) {
				// Granted too late: noted, to be given back.
				await this.#change({ ...record, lease: { ...lease, leaseId: change.leaseId } });
			} else if (leaseId === change.leaseId) {
				await this.#change({ ...record, lease });
			}
			return;
		}
		const lease = leaseAfter(record.lease, change, nowMs, this.#random());
		if (lease !== record.lease) {
			await this.#change({ ...record, lease });
		}
	}

	/** Does what is outstanding. Rounds follow each other, never overlap; never rejects because of a fellow object. */
	settle(nowMs: number): Promise<void> {
		const round = this.#settling.then(() => this.#round(nowMs));
		this.#settling = round.catch(() => undefined);
		return round;
	}

	async #round(nowMs: number): Promise<void> {
		if (this.#record === undefined) {
			return;
		}
		const stages = outstandingWork(this.#record, nowMs);
		if (stages.length > 0) {
			await this.#store.wakeAt(nowMs + INTERRUPTED_AFTER_MS);
		}
		let failures = 0;
		for (const stage of stages) {
			const results = await Promise.all(stage.map((step) => this.#work.run(step, this.#access, nowMs)));
			failures += results.filter((succeeded) => !succeeded).length;
		}
		await this.#afterRound(failures, nowMs);
	}

	/** How a step reads and changes the record, which others may change while it waits. */
	readonly #access = {
		read: (): BroadcastRecord | undefined => this.#record,
		change: (next: BroadcastRecord): Promise<void> => this.#change(next),
		fenceRaised: (fence: number): void => this.#audience.fenceRaised(fence),
		random: (): number => this.#random(),
	};

	async #afterRound(failures: number, nowMs: number): Promise<void> {
		const record = this.#record;
		if (record === undefined) {
			return;
		}
		const { retryAtMs: _, ...settled } = record;
		const over = record.status === "ended" || record.deleted;
		const failedRounds = failures === 0 ? 0 : record.failedRounds + 1;
		const givesUp = over && failedRounds > MAX_FAILED_ROUNDS_ENDED;
		if (record.deleted && (failures === 0 || givesUp)) {
			this.#record = undefined;
			await this.#store.clear();
			return;
		}
		const next: BroadcastRecord =
			failures === 0 || givesUp
				? { ...settled, failedRounds }
				: { ...settled, failedRounds, retryAtMs: nowMs + retryDelayMs(RETRY, failedRounds - 1, this.#random()) };
		if (next.retryAtMs !== record.retryAtMs || next.failedRounds !== record.failedRounds) {
			await this.#change(next);
		}
		await this.#store.wakeAt(nextWakeMs(next));
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
			const next = { ...apply(record), status: status.value, indexed: false };
			await this.#change(next);
			this.#audience.statusChanged(next);
		}
		await this.settle(nowMs);
		if (status.value === "ended") {
			this.#audience.dismissAll("broadcast: it has ended");
		}
		return done(broadcastView(this.#record ?? record));
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
		return this.#record?.destinations.find((destination) => destination.id === id && !destination.removed);
	}

	async #change(next: BroadcastRecord): Promise<void> {
		this.#record = next;
		await this.#store.save(next);
	}
}

export function notFound(): Outcome<never> {
	return refused("not-found", "broadcast: expected one that exists, got an id that names none");
}

function tooManyDestinations(got: number): Outcome<never> {
	return refused("too-many", `destination: expected at most ${MAX_DESTINATIONS} a broadcast, got ${got}`);
}
