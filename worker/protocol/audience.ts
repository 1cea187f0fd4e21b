import { z } from "zod";
import { BROADCAST_STATUSES, type BroadcastStatus } from "./broadcast-commands.ts";
import type { Outcome } from "./problem.ts";

/**
 * What passes between a Broadcast, its Audience objects (the shards that hold the sockets of those who wait and watch) and the people
 * themselves, on `GET /api/broadcasts/{id}/audience` (JSON text).
 */

/** What anyone may know of a broadcast while it goes on. */
export interface PublicState {
	/** The broadcast's version: of two states the one with the higher is the newer. */
	readonly version: number;
	readonly status: BroadcastStatus;
	readonly title: string;
	readonly scheduledStartMs?: number;
	readonly startedAtMs?: number;
	readonly endedAtMs?: number;
	/** Open sockets of all shards, as they counted last. */
	readonly viewers: number;
}

/** The state with what changes less often, as the public page shows it. */
export interface PublicView extends PublicState {
	readonly id: string;
	readonly hostName: string;
	readonly description?: string;
	readonly posterUrl?: string;
	/** How often its start was set anew, as a calendar counts. */
	readonly rescheduled: number;
}

/** Audience → client, on joining and on every change; a total that changed alone comes at most every 5 s. */
export const audienceEventSchema = z.object({
	type: z.literal("state"),
	status: z.enum(BROADCAST_STATUSES),
	title: z.string(),
	/** RFC 3339, in UTC, as the other times. */
	scheduledStartTime: z.iso.datetime().optional(),
	startedAt: z.iso.datetime().optional(),
	endedAt: z.iso.datetime().optional(),
	viewers: z.number().int().nonnegative(),
});
export type AudienceEvent = z.infer<typeof audienceEventSchema>;

/** How the sockets of one shard counted, from 0. */
export interface ShardCount {
	readonly shard: number;
	/** Open sockets. */
	readonly count: number;
}

/** What a Broadcast asks of a shard. */
export interface AudienceRpc {
	/** Resolves once everyone was told. */
	stateChanged(state: PublicState): Promise<void>;
	/** The broadcast was deleted: nobody stays. */
	dismiss(reason: string): Promise<void>;
}

/** Where the reminder list of a broadcast stands. */
export interface ReminderCount {
	readonly count: number;
	/** When they are due; absent where the broadcast has no start, or is over. */
	readonly dueAtMs?: number;
}

/** What the public routes and the shards ask of a Broadcast. */
export interface BroadcastPublicRpc {
	publicView(): Promise<Outcome<PublicView>>;
	/** A shard's count, and by the same call what it is to tell. A shard that has counted lately is told of every change. */
	audienceCounted(counted: ShardCount): Promise<Outcome<PublicState>>;
	/** The same id for the same contact, whether it was on the list or not. */
	addReminder(contact: string): Promise<Outcome<{ readonly id: string }>>;
	/** Also done when there is none of that id: whoever asks twice has what they want. */
	removeReminder(reminderId: string): Promise<Outcome<null>>;
	countReminders(): Promise<Outcome<ReminderCount>>;
}
