import type { LayoutName } from "../../media/layout.ts";
import type { CompositorStats } from "./compositor-stats.ts";
import type { DestinationRoute } from "./destination-route.ts";
import type { EgressState, EgressStatus } from "./egress-status.ts";
import type { EgressConfig, ProgramSource, RouterProgramStats, RouterStreamStats } from "./object-rpc.ts";
import type { Outcome } from "./problem.ts";
import type { GuestId, PersonId, StreamName, TokenClaim } from "./roles.ts";

/** What the API asks of a Broadcast object. Types only. */

/** In the order a broadcast goes through them; `cancelled` instead of going live. */
export const BROADCAST_STATUSES = ["scheduled", "lobby", "live", "ended", "cancelled"] as const;
export type BroadcastStatus = (typeof BROADCAST_STATUSES)[number];

/** By `start` only, or as soon as the host's media is there and the scheduled time has come. */
export const START_MODES = ["manual", "auto"] as const;
export type StartMode = (typeof START_MODES)[number];

/** Whether a guest with a valid key or token is on air at once, or waits to be admitted. */
export const GUEST_ADMISSIONS = ["automatic", "manual"] as const;
export type GuestAdmission = (typeof GUEST_ADMISSIONS)[number];

export const DESTINATION_SERVICES = ["facebook", "youtube", "twitch", "cloudflare-stream", "custom"] as const;
export type DestinationService = (typeof DESTINATION_SERVICES)[number];

/** What a service's published limits may have against a program, or against an address. */
export const DESTINATION_WARNINGS = [
	"other-service",
	"unencrypted",
	"picture-too-large",
	"frame-rate-too-high",
	"aspect-ratio",
	"video-bitrate-too-high",
	"video-bitrate-too-low",
	"audio-bitrate-too-high",
	"key-frame-interval",
] as const;

export interface DestinationWarning {
	readonly code: (typeof DESTINATION_WARNINGS)[number];
	/** What was expected and what came, in words. */
	readonly detail: string;
}

/** What is kept of a destination's address: sealed, and beside it nothing but what may be shown. */
export interface SealedAddress {
	/** Host and application, without anything that may be a key. */
	readonly shownUrl: string;
	readonly hasStreamKey: boolean;
	/** Opens to JSON `{url, streamKey?}`. */
	readonly sealedAddress: string;
	/** The same for the same destination, however its address is written, and tells nothing of it. */
	readonly fingerprint: string;
}

/** A destination as it is handed to a broadcast: its address and key are sealed, and nothing that shows them is kept beside. */
export interface NewDestination extends SealedAddress {
	readonly id: string;
	readonly name?: string;
	readonly service: DestinationService;
	readonly via: DestinationRoute;
	/** Whether it takes pictures out of order; a host who sends them is composed otherwise. */
	readonly allowBFrames: boolean;
}

/** What the user chooses of a broadcast, and may change by `update` (some of it only before it is live). */
export interface BroadcastSettings {
	readonly title: string;
	readonly description?: string;
	readonly posterUrl?: string;
	readonly hostName: string;
	/** Of the first guest's place. */
	readonly guestName: string;
	readonly layout: LayoutName;
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	readonly videoBitrateBps: number;
	/** Compose even a host alone. */
	readonly alwaysCompose: boolean;
	/** How long the last picture is held when nothing comes, before the broadcast ends. */
	readonly holdSeconds: number;
	/** How long a guest who has left may take to come back. */
	readonly guestGraceSeconds: number;
	/** Places for guests, 1 to 4. */
	readonly maxGuests: number;
	readonly guestAdmission: GuestAdmission;
	readonly startMode: StartMode;
	/** When it is to begin; without it the lobby is open from the first moment. */
	readonly scheduledStartMs?: number;
	/** How long before that the lobby opens. */
	readonly lobbySeconds: number;
	/** How long after that a host who never came is waited for. */
	readonly noShowSeconds: number;
	/** How long before that those on the reminder list are reminded. */
	readonly reminderMinutesBefore: number;
}

export interface NewBroadcast extends BroadcastSettings {
	readonly id: string;
	/** Only hashes reach the object. */
	readonly streamKeyHashes: Readonly<Partial<Record<PersonId, string>>>;
	readonly destinations: readonly NewDestination[];
	/** Those that every broadcast of the deployment has. */
	readonly webhooks?: readonly NewWebhook[];
}

/** `null` takes a setting away that may be absent. */
export type SettingsChanges = {
	readonly [K in keyof BroadcastSettings]?: undefined extends BroadcastSettings[K]
		? BroadcastSettings[K] | null
		: BroadcastSettings[K];
};

export interface NewInvite {
	readonly inviteId: string;
	/** Of the code in the link. */
	readonly codeHash: string;
	/** For the operator's eyes. */
	readonly note?: string;
	/** Shown on the label of whoever comes by it, unless they give another. */
	readonly name?: string;
	/** How often it may be redeemed. */
	readonly maxUses: number;
	readonly expiresAtMs: number;
	/** Overrides the broadcast's. */
	readonly admission?: GuestAdmission;
}

export interface NewWebhook {
	readonly webhookId: string;
	readonly url: string;
	/** Of the `whsec_…` that signs its deliveries. */
	readonly sealedSecret: string;
	/** Types it wants, or beginnings of types up to a dot; all when empty. */
	readonly events: readonly string[];
}

/** Everything that changes a broadcast by somebody's will. Ids, keys and codes are made by the caller; only hashes and sealed texts come here. */
export type BroadcastCommand =
	| { readonly type: "update"; readonly changes: SettingsChanges }
	| { readonly type: "start" }
	/** `reason` is shown to whoever looks at the broadcast; that of the first end counts. */
	| { readonly type: "end"; readonly reason?: string }
	| { readonly type: "cancel"; readonly reason?: string }
	| { readonly type: "delete" }
	| {
			readonly type: "set-scene";
			readonly layout?: LayoutName;
			/** Whether names are shown. */
			readonly labels?: boolean;
			/** Who comes first, second …; those who are not named follow in their usual order. */
			readonly order?: readonly PersonId[];
	  }
	| {
			readonly type: "set-person";
			readonly personId: PersonId;
			readonly name?: string;
			/** Linear, 0 to 4; 1 is unchanged. */
			readonly gain?: number;
			readonly muted?: boolean;
	  }
	| { readonly type: "admit-person"; readonly personId: GuestId }
	/** Takes a guest off air and out of the broadcast: their key and tokens are worth nothing from then on. */
	| { readonly type: "remove-person"; readonly personId: GuestId }
	/** Key and tokens from before are worth nothing from then on. */
	| { readonly type: "renew-credentials"; readonly personId: PersonId; readonly streamKeyHash: string }
	/** The same of every viewer's token. */
	| { readonly type: "renew-viewers" }
	| ({ readonly type: "create-invite" } & NewInvite)
	| { readonly type: "revoke-invite"; readonly inviteId: string }
	| {
			readonly type: "redeem-invite";
			readonly codeHash: string;
			readonly name?: string;
			/** Of the key the guest gets. */
			readonly streamKeyHash: Readonly<Record<GuestId, string>>;
	  }
	| ({ readonly type: "add-destination" } & NewDestination)
	| {
			readonly type: "update-destination";
			readonly destinationId: string;
			readonly name?: string;
			readonly allowBFrames?: boolean;
			/** The same place under another key. */
			readonly address?: SealedAddress;
	  }
	| { readonly type: "remove-destination"; readonly destinationId: string }
	| ({ readonly type: "add-webhook" } & NewWebhook)
	| { readonly type: "remove-webhook"; readonly webhookId: string };

export type CommandType = BroadcastCommand["type"];

/** Who gives a command, as events and the log show it: a role, a person, or a part of the system such as `schedule`. */
export type Actor = "admin" | PersonId | "schedule" | "system";

export interface CommandContext {
	readonly actor: Actor;
	/** Follows what a request leads to through all parts. */
	readonly requestId?: string;
	/** Refused as `precondition-failed` unless the broadcast has one of these versions. */
	readonly ifMatch?: readonly number[];
}

export interface CommandResult {
	readonly broadcast: BroadcastView;
	/** Of `redeem-invite`: the place that was given. */
	readonly personId?: GuestId;
	/** Of `redeem-invite` and the renewals: for which tokens are to be made, whatever has become of them since. */
	readonly credentialsVersion?: number;
}

/** A destination as it may be shown: no key, and nothing of the address that may be one. */
export interface DestinationView {
	readonly id: string;
	readonly name?: string;
	readonly service: DestinationService;
	readonly via: DestinationRoute;
	/** Why it goes that way, where there is no other. */
	readonly viaReason?: string;
	readonly url: string;
	readonly hasStreamKey: boolean;
	readonly allowBFrames: boolean;
	/** "idle" before the broadcast starts. */
	readonly state: EgressState | "idle";
	readonly lastError?: string;
	/** What its service's limits have against the program as it is set now. */
	readonly warnings: readonly DestinationWarning[];
}

export interface PersonView {
	readonly id: PersonId;
	readonly name: string;
	readonly gain: number;
	readonly muted: boolean;
	/** May be on air. Always true of the host. */
	readonly admitted: boolean;
	/** Their media is coming. */
	readonly live: boolean;
	/** The invite they came by. */
	readonly inviteId?: string;
	/** Rises whenever their key and tokens are made anew; tokens carry it. */
	readonly credentialsVersion: number;
}

export interface InviteView {
	readonly id: string;
	readonly note?: string;
	readonly name?: string;
	readonly maxUses: number;
	readonly uses: number;
	readonly expiresAtMs: number;
	readonly admission: GuestAdmission;
	readonly createdAtMs: number;
	readonly revokedAtMs?: number;
}

export interface WebhookView {
	readonly id: string;
	readonly url: string;
	readonly events: readonly string[];
	readonly createdAtMs: number;
}

export interface BroadcastView extends BroadcastSettings {
	readonly id: string;
	readonly status: BroadcastStatus;
	/** Rises by one with every change of what is shown here. */
	readonly version: number;
	/** Whether names are shown on labels. */
	readonly labels: boolean;
	/** The scene's order of people. */
	readonly order: readonly PersonId[];
	readonly people: readonly PersonView[];
	readonly createdAtMs: number;
	readonly startedAtMs?: number;
	readonly endedAtMs?: number;
	/** Why it ended or was cancelled, in words, such as "ended by the host". */
	readonly endReason?: string;
	/** Streams with a publisher now. */
	readonly liveStreams: readonly StreamName[];
	/** What the program is made of now. */
	readonly programSource: ProgramSource;
	readonly destinations: readonly DestinationView[];
}

export interface TestedDestination {
	readonly config: EgressConfig;
	readonly warnings: readonly DestinationWarning[];
}

/** Where the compositor's lease stands. */
export type LeasePhase = "none" | "requesting" | "waiting" | "assigned" | "running" | "retrying";

export interface CallMemberStats {
	readonly id: PersonId;
	readonly leg: "real-time" | "whip";
	/** WebRTC works for them. */
	readonly realTime: boolean;
	/** Their media comes to the compositor by WebRTC. */
	readonly atCompositor: boolean;
	/** Their control socket is broken, and is waited for. */
	readonly away: boolean;
}

export interface BroadcastStats {
	readonly status: BroadcastStatus;
	readonly layout: LayoutName;
	/** Of the Broadcast object itself. */
	readonly broadcast: {
		readonly version: number;
		readonly controlSockets: number;
		/** Rounds of outstanding work in a row in which something failed. */
		readonly failedRounds: number;
	};
	/** People who wait or watch, as their shards counted last. */
	readonly viewers: number;
	readonly sources: readonly RouterStreamStats[];
	/** Absent when the Router did not answer. */
	readonly program?: RouterProgramStats;
	/** Who is in the call. */
	readonly call: readonly CallMemberStats[];
	/** What did not answer in time, and whose figures are missing: `router`, or a destination's id. */
	readonly unanswered: readonly string[];
	readonly compositor: {
		readonly lease: LeasePhase;
		readonly fence: number;
		/** Why the last compositor was lost or refused, when one was. */
		readonly lastFailure?: string;
		/** The last figures the compositor reported, and how old they are; absent until it does. */
		readonly reported?: { readonly ageMs: number; readonly stats: CompositorStats };
	};
	readonly destinations: readonly (DestinationView & { readonly egress?: EgressStatus })[];
}

export interface BroadcastCommands {
	create(input: NewBroadcast, context: CommandContext): Promise<Outcome<BroadcastView>>;
	/** The one way a broadcast is changed. What is legal in which state: `worker/broadcast/lifecycle.ts`. */
	command(command: BroadcastCommand, context: CommandContext): Promise<Outcome<CommandResult>>;
	view(): Promise<Outcome<BroadcastView>>;
	/** A destination as its Egress gets it, for who is to change its key. */
	destinationConfig(destinationId: string): Promise<Outcome<EgressConfig>>;
	/** The same for a test of it; refused while the program goes there, and when the broadcast is over. */
	testedDestination(destinationId: string): Promise<Outcome<TestedDestination>>;
	invites(): Promise<Outcome<readonly InviteView[]>>;
	webhooks(): Promise<Outcome<readonly WebhookView[]>>;
	stats(): Promise<Outcome<BroadcastStats>>;
	/** Whether the stream key's holder speaks for the person it names; gives the version of their credentials. */
	checkStreamKey(person: PersonId, keyHash: string): Promise<Outcome<number>>;
	/** Whether a role token still speaks for the person it was made for. */
	checkToken(claim: TokenClaim): Promise<Outcome<null>>;
	/**
	 * Whether the broadcast takes sockets now: it exists, has not ended, and, where a compositor asks, has not leased a newer one. What the
	 * asker's role allows is decided before.
	 */
	admit(compositorFence?: number): Promise<Outcome<null>>;
}
