import type { LayoutName } from "../../media/layout.ts";
import type { CompositorStats } from "./compositor-stats.ts";
import type { EgressState, EgressStatus, RouterProgramStats, RouterStreamStats } from "./object-rpc.ts";
import type { Outcome } from "./problem.ts";
import type { PersonId, StreamName } from "./roles.ts";

/** What the API asks of a Broadcast object. Types only. */

export interface NewDestination {
	readonly name?: string;
	readonly url: string;
	readonly streamKey?: string;
	/** Whether it takes pictures out of order; a host who sends them is composed otherwise. */
	readonly allowBFrames: boolean;
}

export interface NewBroadcast {
	readonly id: string;
	readonly title: string;
	readonly description?: string;
	readonly hostName: string;
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
	readonly destinations: readonly NewDestination[];
}

/** A destination as it may be shown: no key, and nothing of the address that may be one. */
export interface DestinationView {
	readonly id: string;
	readonly name?: string;
	readonly url: string;
	readonly hasStreamKey: boolean;
	readonly allowBFrames: boolean;
	/** "idle" before the broadcast starts. */
	readonly state: EgressState | "idle";
	readonly lastError?: string;
}

export interface BroadcastView extends Omit<NewBroadcast, "destinations"> {
	readonly status: "lobby" | "live" | "ended";
	readonly createdAtMs: number;
	readonly startedAtMs?: number;
	readonly endedAtMs?: number;
	/** Why it ended, in words, such as "ended by the host". */
	readonly endReason?: string;
	/** Streams with a publisher now. */
	readonly liveStreams: readonly StreamName[];
	readonly destinations: readonly DestinationView[];
}

export interface CreatedBroadcast {
	readonly broadcast: BroadcastView;
	/** Told this once; only hashes are kept. */
	readonly streamKeys: Readonly<Record<PersonId, string>>;
}

/** Where the compositor's lease stands. */
export type LeasePhase = "none" | "requesting" | "waiting" | "assigned" | "running" | "retrying";

export interface BroadcastStats {
	readonly status: BroadcastView["status"];
	readonly layout: LayoutName;
	readonly sources: readonly RouterStreamStats[];
	/** Absent when the Router did not answer. */
	readonly program?: RouterProgramStats;
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
	create(input: NewBroadcast): Promise<Outcome<CreatedBroadcast>>;
	view(): Promise<Outcome<BroadcastView>>;
	start(): Promise<Outcome<BroadcastView>>;
	/** @param by who ends it, in words; shown in the reason */
	end(by?: string): Promise<Outcome<BroadcastView>>;
	remove(): Promise<Outcome<null>>;
	setLayout(layout: LayoutName): Promise<Outcome<BroadcastView>>;
	addDestination(destination: NewDestination): Promise<Outcome<DestinationView>>;
	listDestinations(): Promise<Outcome<readonly DestinationView[]>>;
	removeDestination(destinationId: string): Promise<Outcome<null>>;
	stats(): Promise<Outcome<BroadcastStats>>;
	/** Whether the stream key's holder speaks for the person it names. */
	checkStreamKey(role: PersonId, keyHash: string): Promise<Outcome<null>>;
	/**
	 * Whether the broadcast takes sockets now: it exists, has not ended, and, where a compositor asks, has not leased a newer one. What the
	 * asker's role allows is decided before.
	 */
	admit(compositorFence?: number): Promise<Outcome<null>>;
}
