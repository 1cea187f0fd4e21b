import { hashesMatch } from "../auth/secret.ts";
import { DEFAULT_LIMITS, type Limits } from "../limits.ts";
import type {
	BroadcastCommand,
	BroadcastView,
	CommandContext,
	CommandResult,
	InviteView,
	NewBroadcast,
	WebhookView,
} from "../protocol/broadcast-commands.ts";
import type { EgressStatus } from "../protocol/egress-status.ts";
import type { LeaseChange, ProgramChange, StreamChange } from "../protocol/object-rpc.ts";
import { done, type Outcome, refused } from "../protocol/problem.ts";
import type { PersonId, TokenClaim } from "../protocol/roles.ts";
import {
	type BroadcastRecord,
	type DestinationRecord,
	endedRecord,
	newBroadcastRecord,
	personOf,
} from "./broadcast-record.ts";
import { broadcastView, inviteView, webhookView } from "./broadcast-view.ts";
import { type CallWord, withCallWord } from "./call-word.ts";
import { applyCommand } from "./commands/apply-command.ts";
import { destinationOf, destinationsRefusal } from "./commands/destinations.ts";
import { isRewriteDue } from "./index-age.ts";
import { changed as leaseAfter } from "./lease-phase.ts";
import { isOver, statusAfter } from "./lifecycle.ts";
import { type BroadcastAudience, type BroadcastStore, RecordKeeper } from "./record-keeper.ts";
import { Settling } from "./settling.ts";
import { withStream } from "./stream-word.ts";
import type { WorkRunner } from "./work-runner.ts";

/**
 * The control plane of one broadcast: it changes the record by commands and by word from fellow objects, and brings the world in line with the
 * record. Commands answer once the record is stored and the work that follows has been tried; work that failed is tried again later.
 */
export class BroadcastControl {
	readonly #keeper: RecordKeeper;
	readonly #work: WorkRunner;
	readonly #settling: Settling;
	readonly #limits: Limits;

	/** `random` gives numbers in [0, 1) for jitter. */
	constructor(
		record: BroadcastRecord | undefined,
		parts: {
			store: BroadcastStore;
			audience: BroadcastAudience;
			work: WorkRunner;
			random: () => number;
			limits?: Limits;
		},
	) {
		this.#keeper = new RecordKeeper(record, parts);
		this.#work = parts.work;
		this.#settling = new Settling(this.#keeper, parts.work);
		this.#limits = parts.limits ?? DEFAULT_LIMITS;
	}

	/** The record of a broadcast that exists. */
	get record(): BroadcastRecord | undefined {
		return this.#keeper.record?.deleted ? undefined : this.#keeper.record;
	}

	async create(input: NewBroadcast, context: CommandContext, nowMs: number): Promise<Outcome<BroadcastView>> {
		if (this.#keeper.record !== undefined) {
			return this.#createdAlready(input);
		}
		const refusal = destinationsRefusal(input.destinations, this.#limits.maxDestinations);
		if (refusal !== undefined) {
			return refusal;
		}
		const record = newBroadcastRecord(input, nowMs);
		await this.#keeper.change(record, nowMs, context);
		await this.settle(nowMs);
		return done(broadcastView(this.#keeper.record ?? record));
	}

	/** Keys are the same only where the request is: one whose answer was lost, and which is made again. */
	#createdAlready({ streamKeyHashes }: NewBroadcast): Outcome<BroadcastView> {
		const { record } = this;
		const kept = record?.people.map(({ id, streamKeyHash }) => streamKeyHash === streamKeyHashes[id]) ?? [];
		return record !== undefined && kept.every(Boolean)
			? done(broadcastView(record))
			: refused("internal-error", "broadcast: expected an id that was never used, got one that was");
	}

	/** The one way a broadcast is changed by somebody's will: legal in its status, on the version they meant, and then carried out. */
	async command(command: BroadcastCommand, context: CommandContext, nowMs: number): Promise<Outcome<CommandResult>> {
		const record = this.record;
		if (record === undefined) {
			return notFound();
		}
		const stale = staleRefusal(record, context.ifMatch);
		if (stale !== undefined) {
			return stale;
		}
		const status = statusAfter(record.status, command.type);
		if (!status.ok) {
			return status;
		}
		const applied = applyCommand(record, command, context, nowMs, this.#limits);
		if (!applied.ok) {
			return applied;
		}
		const { record: next, ...made } = applied.value;
		if (next !== record) {
			await this.#keeper.change(next, nowMs, context);
		}
		if (next.deleted) {
			this.#keeper.audience.dismissAll("broadcast: it was deleted");
		}
		await this.settle(nowMs);
		const broadcast = broadcastView(this.#keeper.record ?? next);
		return done({ broadcast, ...made });
	}

	/** Whoever looks may have come because the list does not show it: writes its row again, now and then. Gives whether there is work to do. */
	async wasRead(nowMs: number): Promise<boolean> {
		const { record } = this;
		const isDue = record?.indexed === true && isRewriteDue(record.indexedAtMs, nowMs, "read");
		if (isDue) {
			await this.#keeper.change({ ...record, indexed: false }, nowMs);
		}
		return isDue;
	}

	view(): Outcome<BroadcastView> {
		return this.#shown(broadcastView);
	}

	invites(): Outcome<readonly InviteView[]> {
		return this.#shown(({ invites, guestAdmission }) => invites.map((invite) => inviteView(invite, guestAdmission)));
	}

	webhooks(): Outcome<readonly WebhookView[]> {
		return this.#shown(({ webhooks }) => webhooks.map(webhookView));
	}

	checkStreamKey(person: PersonId, keyHash: string): Outcome<number> {
		const known = this.record && personOf(this.record, person);
		return known?.streamKeyHash !== undefined && hashesMatch(keyHash, known.streamKeyHash)
			? done(known.credentialsVersion)
			: refused("unauthorized", `auth: expected the ${person}'s stream key, got another`);
	}

	checkToken({ person, credentialsVersion }: TokenClaim): Outcome<null> {
		const { record } = this;
		if (record === undefined) {
			return notFound();
		}
		const current = person === "viewer" ? record.viewerVersion : personOf(record, person)?.credentialsVersion;
		return current === credentialsVersion
			? done(null)
			: refused("unauthorized", "auth: expected a token that still counts, got one that was made worthless");
	}

	/** Like all that fellow objects tell: the work that follows is done by {@link settle}, which the caller must not make them wait for. */
	async streamChanged(change: StreamChange, nowMs: number): Promise<void> {
		const record = this.record;
		if (record !== undefined && !isOver(record.status)) {
			await this.#keeper.change(withStream(record, change, nowMs, this.#keeper.random()), nowMs);
		}
	}

	async callChanged(word: CallWord, nowMs: number): Promise<void> {
		const record = this.record;
		const next = record === undefined || isOver(record.status) ? record : withCallWord(record, word, nowMs);
		if (next !== undefined && next !== record) {
			await this.#keeper.change(next, nowMs);
		}
	}

	async programChanged({ source }: ProgramChange, nowMs: number): Promise<void> {
		const record = this.record;
		if (record !== undefined && !isOver(record.status)) {
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
		if (record === undefined || isOver(record.status)) {
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
		const known = record && destinationOf(record, destinationId);
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
		if (isOver(record.status) || record.lease.phase === "none") {
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

	#shown<T>(show: (record: BroadcastRecord) => T): Outcome<T> {
		return this.record === undefined ? notFound() : done(show(this.record));
	}
}

export function notFound(): Outcome<never> {
	return refused("not-found", "broadcast: expected one that exists, got an id that names none");
}

function staleRefusal(record: BroadcastRecord, ifMatch: readonly number[] | undefined): Outcome<never> | undefined {
	return ifMatch === undefined || ifMatch.includes(record.version)
		? undefined
		: refused(
				"precondition-failed",
				`broadcast: expected version ${ifMatch.join(" or ") || "none"}, got ${record.version}`,
				{ expected: ifMatch.map(String), found: String(record.version) },
			);
}
