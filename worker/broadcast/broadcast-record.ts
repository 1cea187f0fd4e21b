import type { LayoutName } from "../../media/layout.ts";
import type {
	BroadcastView,
	DestinationView,
	LeasePhase,
	NewBroadcast,
	NewDestination,
} from "../protocol/broadcast-commands.ts";
import type { EgressConfig, EgressState, ProgramPlan, ProgramSource } from "../protocol/object-rpc.ts";
import { MAIN_PROGRAM_STREAM, type PersonId, publishedStreamNameSchema, type StreamName } from "../protocol/roles.ts";
import { redactDestinationUrl } from "./destination-policy.ts";
import type { BroadcastStatus } from "./lifecycle.ts";

/** AAC-LC at the rate the large services ask for. */
export const AUDIO_BITRATE_BPS = 128_000;
/** Facebook, YouTube and Twitch all want exactly this. */
export const KEY_FRAME_INTERVAL_S = 2;

export interface DestinationRecord extends NewDestination {
	readonly id: string;
	/** What its Egress object has been asked: "starting" until it has answered. All but "idle" and "stopped" must be undone in the end. */
	readonly egress: "idle" | "starting" | "started" | "stopped";
	/** Taken off by the user; forgotten once its Egress has stopped. */
	readonly removed: boolean;
	/** Its Egress may have lost its program, and is to be woken. */
	readonly resume: boolean;
	readonly state: EgressState | "idle";
	readonly lastError?: string;
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
export interface BroadcastRecord extends Omit<NewBroadcast, "destinations"> {
	readonly status: BroadcastStatus;
	readonly createdAtMs: number;
	readonly startedAtMs?: number;
	readonly endedAtMs?: number;
	/** Why it ended, in words. */
	readonly endReason?: string;
	readonly streamKeyHashes: Readonly<Record<PersonId, string>>;
	readonly destinations: readonly DestinationRecord[];
	readonly lease: LeaseRecord;
	readonly liveStreams: readonly StreamName[];
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
	/** Whether the list of broadcasts shows this state. */
	readonly indexed: boolean;
	readonly routerOpen: boolean;
	/** Rounds of outstanding work in a row in which something failed. */
	readonly failedRounds: number;
	readonly retryAtMs?: number;
	/** Deleted by the user; forgotten once nothing is left running. */
	readonly deleted: boolean;
}

export const NO_LEASE: LeaseRecord = { phase: "none", fence: 0, failures: 0 };

export function newDestinationRecord(id: string, destination: NewDestination): DestinationRecord {
	return { ...destination, id, egress: "idle", removed: false, resume: false, state: "idle" };
}

/** What a broadcast knows of the world before anyone told it anything. */
const NOTHING_HEARD = {
	lease: NO_LEASE,
	liveStreams: [],
	leftAtMs: {},
	expected: [],
	programSource: "none",
	indexed: false,
	routerOpen: false,
	failedRounds: 0,
	deleted: false,
} as const satisfies Partial<BroadcastRecord>;

export function newBroadcastRecord(
	input: NewBroadcast,
	streamKeyHashes: Readonly<Record<PersonId, string>>,
	destinations: readonly DestinationRecord[],
	nowMs: number,
): BroadcastRecord {
	return {
		...input,
		destinations,
		status: "lobby",
		createdAtMs: nowMs,
		streamKeyHashes,
		...NOTHING_HEARD,
	};
}

/** How broadcasts were made before they could choose: always composed. */
const CHOICES_BEFORE = { alwaysCompose: true, holdSeconds: 120, guestGraceSeconds: 10 } as const;

const DESTINATION_CHOICES_BEFORE = { allowBFrames: true, resume: false } as const;

/** A record as it is read back: one that an older version of the system stored, before a deploy, gets what it lacks. */
export function restoredRecord(stored: BroadcastRecord): BroadcastRecord {
	return {
		...NOTHING_HEARD,
		...CHOICES_BEFORE,
		...stored,
		liveStreams: stored.liveStreams.filter((stream) => publishedStreamNameSchema.safeParse(stream).success),
		destinations: stored.destinations.map((destination) => ({ ...DESTINATION_CHOICES_BEFORE, ...destination })),
	};
}

export function destinationView(destination: DestinationRecord): DestinationView {
	const { id, name, url, streamKey, allowBFrames, state, lastError } = destination;
	return {
		id,
		...(name === undefined ? {} : { name }),
		url: redactDestinationUrl(url),
		hasStreamKey: streamKey !== undefined && streamKey !== "",
		allowBFrames,
		state,
		...(lastError === undefined ? {} : { lastError }),
	};
}

export function shownDestinations(record: BroadcastRecord): readonly DestinationRecord[] {
	return record.destinations.filter((destination) => !destination.removed);
}

export function broadcastView(record: BroadcastRecord): BroadcastView {
	const { id, status, title, description, hostName, guestName, layout, width, height, frameRate, videoBitrateBps } =
		record;
	const { alwaysCompose, holdSeconds, guestGraceSeconds } = record;
	const { createdAtMs, startedAtMs, endedAtMs, endReason, liveStreams } = record;
	return {
		id,
		status,
		title,
		...(description === undefined ? {} : { description }),
		hostName,
		guestName,
		layout,
		width,
		height,
		frameRate,
		videoBitrateBps,
		alwaysCompose,
		holdSeconds,
		guestGraceSeconds,
		createdAtMs,
		...(startedAtMs === undefined ? {} : { startedAtMs }),
		...(endedAtMs === undefined ? {} : { endedAtMs }),
		...(endReason === undefined ? {} : { endReason }),
		liveStreams,
		destinations: shownDestinations(record).map(destinationView),
	};
}

export function egressConfig(record: BroadcastRecord, destination: DestinationRecord): EgressConfig {
	return {
		broadcastId: record.id,
		destinationId: destination.id,
		stream: MAIN_PROGRAM_STREAM,
		url: destination.url,
		...(destination.streamKey === undefined ? {} : { streamKey: destination.streamKey }),
		width: record.width,
		height: record.height,
		frameRate: record.frameRate,
		videoBitrateBps: record.videoBitrateBps,
		audioBitrateBps: AUDIO_BITRATE_BPS,
	};
}

/** The record of a broadcast that is over, for a reason in words. */
export function endedRecord(record: BroadcastRecord, reason: string, nowMs: number): BroadcastRecord {
	const { compositeFence: _, ...rest } = record;
	return {
		...rest,
		status: "ended",
		endedAtMs: nowMs,
		endReason: reason,
		liveStreams: [],
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

/** The record with another layout; the same record when it has that layout already. */
export function withLayout(record: BroadcastRecord, layout: LayoutName): BroadcastRecord {
	return record.layout === layout ? record : { ...record, layout, indexed: false };
}
