import type {
	BroadcastSettings,
	BroadcastStatus,
	LeasePhase,
	NewBroadcast,
	NewDestination,
	NewInvite,
	NewWebhook,
} from "../protocol/broadcast-commands.ts";
import type { EgressState } from "../protocol/egress-status.ts";
import type { EgressConfig, ProgramPlan, ProgramSource } from "../protocol/object-rpc.ts";
import { MAIN_PROGRAM_STREAM, type PersonId, type StreamName } from "../protocol/roles.ts";
import type { CallCompositor, CallMember } from "./call-member.ts";
import { newPeople, type PersonRecord } from "./person-record.ts";

/** AAC-LC at the rate the large services ask for. */
export const AUDIO_BITRATE_BPS = 128_000;
/** Facebook, YouTube and Twitch all want exactly this. */
export const KEY_FRAME_INTERVAL_S = 2;

export interface DestinationRecord extends NewDestination {
	/** What its Egress object has been asked: "starting" until it has answered. All but "idle" and "stopped" must be undone in the end. */
	readonly egress: "idle" | "starting" | "started" | "stopped";
	/** Taken off by the user; forgotten once its Egress has stopped. */
	readonly removed: boolean;
	/** Its Egress may have lost its program, and is to be woken. */
	readonly resume: boolean;
	readonly state: EgressState | "idle";
	readonly lastError?: string;
}

export interface InviteRecord extends NewInvite {
	readonly createdAtMs: number;
	readonly uses: number;
	readonly revokedAtMs?: number;
}

export interface WebhookRecord extends NewWebhook {
	readonly createdAtMs: number;
}

export interface LeaseRecord {
	readonly phase: LeasePhase;
	/** Of the newest lease asked for; 0 before the first. */
	readonly fence: number;
	readonly leaseId?: string;
	/** Failures in a row, for the back-off. */
	readonly failures: number;
	/** Why the last one was lost or refused; never holds a token. */
	readonly lastFailure?: string;
	/** When to ask again ("retrying"), or to ask the pool whether it still knows the lease (the other phases). */
	readonly dueAtMs?: number;
	readonly runningSinceMs?: number;
	/** Since when nobody has wanted it any more; it is released as soon as the program can do without it. */
	readonly unwantedSinceMs?: number;
	/** Since when it has run without its program reaching the Router. */
	readonly awaitedSinceMs?: number;
}

/** All that a Broadcast object knows, as it is stored. */
export interface BroadcastRecord extends Omit<BroadcastSettings, "hostName"> {
	readonly id: string;
	readonly status: BroadcastStatus;
	/** Rises by one with every change of what the API shows. */
	readonly version: number;
	readonly createdAtMs: number;
	readonly startedAtMs?: number;
	readonly endedAtMs?: number;
	/** Why it ended or was cancelled, in words. */
	readonly endReason?: string;
	/** How often its start was set anew, as a calendar counts. */
	readonly rescheduled: number;
	/** The host, and one place for each guest there may be. */
	readonly people: readonly PersonRecord[];
	/** Raised to make every viewer's token worthless. */
	readonly viewerVersion: number;
	/** Whether names are shown. */
	readonly labels: boolean;
	/** Who comes first in the scene, where that was chosen. */
	readonly order: readonly PersonId[];
	readonly invites: readonly InviteRecord[];
	readonly webhooks: readonly WebhookRecord[];
	readonly destinations: readonly DestinationRecord[];
	readonly lease: LeaseRecord;
	readonly liveStreams: readonly StreamName[];
	/** Who is in the call, with their media ready. */
	readonly call: readonly CallMember[];
	/** The newest compositor that came to the call; `compositorInCall` says whether it still is in it. */
	readonly callCompositor?: CallCompositor;
	/** Since when its lobby has been open, while it is. */
	readonly lobbySinceMs?: number;
	/** The start of which those on the reminder list have been reminded; another start is reminded of anew. */
	readonly remindedForMs?: number;
	/** When someone who is not live now was last live. */
	readonly leftAtMs: Readonly<Partial<Record<PersonId, number>>>;
	/** Whose media is coming, or about to come again; follows from the above and the time. */
	readonly expected: readonly PersonId[];
	/** Why the host's stream cannot be passed through; absent when it can, or is not live. */
	readonly hostUnfit?: string;
	/** Of the compositor whose program reaches the Router now. */
	readonly compositeFence?: number;
	/** What the program is made of, as the Router said last. */
	readonly programSource: ProgramSource;
	/** The plan that the Router follows. */
	readonly acknowledgedPlan?: ProgramPlan;
	/** When to ask the Router who publishes. */
	readonly streamsDueAtMs?: number;
	/** Whose sockets are still to be closed, since their credentials were made worthless. */
	readonly toDisconnect: readonly (PersonId | "viewer")[];
	/** Whether the list of broadcasts shows this state. */
	readonly indexed: boolean;
	/** When its row in the list was written last. */
	readonly indexedAtMs?: number;
	/** Of the last request that changed it, for the log of what it led to. */
	readonly requestId?: string;
	readonly routerOpen: boolean;
	/** Rounds of outstanding work in a row in which something failed. */
	readonly failedRounds: number;
	readonly retryAtMs?: number;
	/** Deleted by the user; forgotten once nothing is left running. */
	readonly deleted: boolean;
}

export const NO_LEASE: LeaseRecord = { phase: "none", fence: 0, failures: 0 };

export function newDestinationRecord(destination: NewDestination): DestinationRecord {
	return { ...destination, egress: "idle", removed: false, resume: false, state: "idle" };
}

/** What a broadcast knows of the world before anyone told it anything. */
export const NOTHING_HEARD = {
	version: 1,
	rescheduled: 0,
	viewerVersion: 1,
	labels: true,
	order: [],
	invites: [],
	webhooks: [],
	lease: NO_LEASE,
	liveStreams: [],
	call: [],
	leftAtMs: {},
	expected: [],
	programSource: "none",
	toDisconnect: [],
	indexed: false,
	routerOpen: false,
	failedRounds: 0,
	deleted: false,
} as const satisfies Partial<BroadcastRecord>;

export function newBroadcastRecord(input: NewBroadcast, nowMs: number): BroadcastRecord {
	const { hostName, streamKeyHashes, destinations, webhooks = [], ...settings } = input;
	return {
		...settings,
		status: input.scheduledStartMs === undefined ? "lobby" : "scheduled",
		createdAtMs: nowMs,
		people: newPeople({ ...settings, hostName, streamKeyHashes }),
		destinations: destinations.map(newDestinationRecord),
		...NOTHING_HEARD,
		webhooks: webhooks.map((webhook) => ({ ...webhook, createdAtMs: nowMs })),
	};
}

export function shownDestinations(record: Pick<BroadcastRecord, "destinations">): readonly DestinationRecord[] {
	return record.destinations.filter((destination) => !destination.removed);
}

/** The person of that id, where the broadcast has a place for them. */
export function personOf(record: Pick<BroadcastRecord, "people">, id: PersonId): PersonRecord | undefined {
	return record.people.find((person) => person.id === id);
}

export function egressConfig(record: BroadcastRecord, destination: DestinationRecord): EgressConfig {
	return {
		broadcastId: record.id,
		destinationId: destination.id,
		stream: MAIN_PROGRAM_STREAM,
		sealedAddress: destination.sealedAddress,
		via: destination.via,
		width: record.width,
		height: record.height,
		frameRate: record.frameRate,
		videoBitrateBps: record.videoBitrateBps,
		audioBitrateBps: AUDIO_BITRATE_BPS,
	};
}

/** The record of a broadcast that is over, for a reason in words. */
export function endedRecord(
	record: BroadcastRecord,
	reason: string,
	nowMs: number,
	status: "ended" | "cancelled" = "ended",
): BroadcastRecord {
	const { compositeFence: _, ...rest } = record;
	return {
		...rest,
		status,
		endedAtMs: nowMs,
		endReason: reason,
		liveStreams: [],
		call: [],
		programSource: "none",
		indexed: false,
		failedRounds: 0,
	};
}

/** The record with one destination changed. */
export function withDestination(
	record: BroadcastRecord,
	destinationId: string,
	change: Partial<DestinationRecord>,
): BroadcastRecord {
	const destinations = record.destinations.map((destination) =>
		destination.id === destinationId ? { ...destination, ...change } : destination,
	);
	return { ...record, destinations };
}

/** The record without a destination. */
export function withoutDestination(record: BroadcastRecord, destinationId: string): BroadcastRecord {
	return { ...record, destinations: record.destinations.filter(({ id }) => id !== destinationId) };
}
