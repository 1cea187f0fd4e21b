import { z } from "zod";
import type { Actor } from "./broadcast-commands.ts";
import { BROADCAST_STATUSES, DESTINATION_SERVICES, GUEST_ADMISSIONS } from "./broadcast-commands.ts";
import { programSourceSchema } from "./control-messages.ts";
import { DESTINATION_ROUTES } from "./destination-route.ts";
import { layoutNameSchema } from "./live-commands.ts";
import type { Outcome } from "./problem.ts";
import { guestIdSchema, personIdSchema } from "./roles.ts";

/** RFC 3339, in UTC. */
const time = z.string();
const person = { personId: personIdSchema };
const invite = { inviteId: z.string() };
const destination = { destinationId: z.string() };
const fence = { fence: z.int() };
const webhook = { webhookId: z.string() };
/** Without its path and query, in which a webhook's address may hold a secret. */
const origin = z.string();

/**
 * Everything that happens to a broadcast, in the order in which the events of one change come, those of one invite or destination
 * together; docs/events.md lists it for those who build on it.
 * No key, code or token is in any of them.
 */
export const BROADCAST_EVENTS = {
	"broadcast.created": z.strictObject({
		title: z.string(),
		status: z.enum(BROADCAST_STATUSES),
		scheduledStartTime: time.optional(),
	}),
	/** Names of the settings that are not as they were; those with an event of their own are not among them. */
	"broadcast.updated": z.strictObject({ settings: z.array(z.string()).min(1) }),
	"broadcast.scheduled": z.strictObject({ scheduledStartTime: time }),
	/** `null`: its start was taken away. */
	"broadcast.rescheduled": z.strictObject({ scheduledStartTime: time.nullable() }),
	"broadcast.lobby_opened": z.strictObject({}),
	"broadcast.live": z.strictObject({ startedAt: time }),
	"broadcast.ended": z.strictObject({ reason: z.string() }),
	"broadcast.cancelled": z.strictObject({ reason: z.string() }),
	"invite.created": z.strictObject({
		...invite,
		name: z.string().optional(),
		maxUses: z.int(),
		expiresAt: time,
		admission: z.enum(GUEST_ADMISSIONS).optional(),
	}),
	"invite.redeemed": z.strictObject({ ...invite, personId: guestIdSchema, name: z.string() }),
	"invite.revoked": z.strictObject(invite),
	/** Key and tokens from before are worth nothing. */
	"credentials.renewed": z.strictObject({ personId: z.union([personIdSchema, z.literal("viewer")]) }),
	/** Their media is not coming any more. */
	"person.left": z.strictObject(person),
	"person.removed": z.strictObject(person),
	/** Only what is not as it was. */
	"person.updated": z.strictObject({
		...person,
		name: z.string().optional(),
		gain: z.number().optional(),
		muted: z.boolean().optional(),
	}),
	"person.admitted": z.strictObject(person),
	/** Their media is coming. */
	"person.joined": z.strictObject(person),
	"scene.changed": z.strictObject({ layout: layoutNameSchema, labels: z.boolean(), order: z.array(personIdSchema) }),
	"destination.added": z.strictObject({
		...destination,
		name: z.string().optional(),
		service: z.enum(DESTINATION_SERVICES),
		via: z.enum(DESTINATION_ROUTES),
		/** Host and application. */
		url: z.string(),
	}),
	"destination.updated": z.strictObject({
		...destination,
		changed: z.array(z.enum(["name", "allowBFrames", "streamKey"])).min(1),
	}),
	"destination.state": z.strictObject({
		...destination,
		state: z.enum(["idle", "connecting", "live", "retrying", "refused", "stopped"]),
		lastError: z.string().optional(),
	}),
	"destination.removed": z.strictObject(destination),
	"compositor.assigned": z.strictObject(fence),
	/** It runs. */
	"compositor.ready": z.strictObject(fence),
	"compositor.lost": z.strictObject({ ...fence, reason: z.string() }),
	/** What the program is made of. */
	"program.source": z.strictObject({ source: programSourceSchema }),
	"webhook.added": z.strictObject({ ...webhook, origin }),
	"webhook.removed": z.strictObject(webhook),
	/** Some who asked for it are to be reminded of the start. Webhooks are given their `contacts`, and nobody else is. */
	"reminder.due": z.strictObject({
		scheduledStartTime: time,
		count: z.int(),
		contacts: z.array(z.strictObject({ id: z.string(), contact: z.string() })).optional(),
	}),
	/** The last one there is. */
	"broadcast.deleted": z.strictObject({}),
} as const;

export type BroadcastEventType = keyof typeof BROADCAST_EVENTS;
export type EventData<T extends BroadcastEventType> = z.infer<(typeof BROADCAST_EVENTS)[T]>;

export const BROADCAST_EVENT_TYPES = Object.keys(BROADCAST_EVENTS) as [BroadcastEventType, ...BroadcastEventType[]];

/** An event that is about to be stored. */
export type EventDraft = {
	readonly [T in BroadcastEventType]: { readonly type: T; readonly data: EventData<T> };
}[BroadcastEventType] & {
	readonly actor: Actor;
	readonly requestId?: string;
	/** JSON of an object, sealed: what webhooks are given of it besides, and nobody else. */
	readonly sealed?: string;
};

/** What the fields of an event's data are. */
export type EventValue = string | number | boolean | null | string[];

/** An event as it is sent by webhook and stream, and read back in the log. */
export interface BroadcastEvent {
	readonly broadcastId: string;
	/** 1, 2, 3 … of this broadcast. */
	readonly sequence: number;
	readonly type: BroadcastEventType;
	/** RFC 3339, in UTC. */
	readonly timestamp: string;
	/** The version the broadcast has with it. */
	readonly version: number;
	readonly actor: Actor;
	/** Of the request it came by, as in the answer's `X-Request-Id` and the log. */
	readonly requestId?: string;
	/** As the table has it for the type. */
	readonly data: Readonly<Record<string, EventValue>>;
}

export interface LogQuery {
	/** Events with a higher sequence number; from the oldest that is kept when 0. */
	readonly after: number;
	readonly limit: number;
	/** All when absent. */
	readonly types?: readonly BroadcastEventType[];
}

export interface LogPage {
	readonly events: readonly BroadcastEvent[];
	/** What to ask for `after` on the next page; absent on the last one. */
	readonly next?: number;
}

/** How far a webhook's deliveries have come. */
export interface WebhookStatus {
	readonly id: string;
	readonly url: string;
	readonly events: readonly string[];
	readonly createdAtMs: number;
	/** The last event it was sent, or that was given up. */
	readonly cursor: number;
	/** Events it is still to get, those to be replayed among them. */
	readonly pending: number;
	readonly deadLetters: number;
	/** Attempts in a row that failed. */
	readonly failures: number;
	readonly lastError?: string;
	readonly nextAttemptMs?: number;
}

/** An event that a webhook did not take in time. */
export interface DeadLetter {
	readonly sequence: number;
	readonly type: string;
	readonly eventAtMs: number;
	readonly gaveUpAtMs: number;
	readonly error: string;
}

export interface ReplayRange {
	readonly fromSequence: number;
	readonly toSequence?: number;
}

/** What the API asks of a Broadcast object about its events; they are streamed by `fetch` of `/events?after=`. */
export interface BroadcastEventsRpc {
	log(query: LogQuery): Promise<Outcome<LogPage>>;
	webhookStatuses(): Promise<Outcome<readonly WebhookStatus[]>>;
	deadLetters(webhookId: string): Promise<Outcome<readonly DeadLetter[]>>;
	/** Sends these again, in order, before what is new. Gives how many there are. */
	replay(webhookId: string, range: ReplayRange): Promise<Outcome<{ readonly queued: number }>>;
}

/** Whether a webhook wants an event: by its type, or the beginning of it up to a dot; all when it named none. */
export function isWanted(type: string, wanted: readonly string[]): boolean {
	return (
		wanted.length === 0 ||
		wanted.some((each) => type === each || type.startsWith(each.endsWith(".") ? each : `${each}.`))
	);
}
