import type { AudioCodec, VideoCodec } from "../../media/encoded-frame.ts";
import type { DestinationRoute } from "./destination-route.ts";
import type {
	DestinationTestReport,
	EgressJob,
	EgressJobAnswer,
	EgressJobName,
	EgressRunnerWord,
} from "./egress-jobs.ts";
import type { EgressStatus } from "./egress-status.ts";
import type { StreamName, TokenClaim } from "./roles.ts";

/**
 * What the Durable Objects say to each other by RPC. Types only: every object codes against these, never against a fellow's class.
 * Everything here is structured-cloneable, and nothing that leaves an object holds a stream key or a token, except where it says so.
 */

// --- Router: one per broadcast, named by the broadcast's id -------------------------------------------------------------------

export interface RouterSubscriberStats {
	readonly id: string;
	/** How long the oldest unacknowledged tag has waited; 0 for subscribers that do not acknowledge. */
	readonly ackLagMs: number;
	readonly skippedTags: number;
}

export interface RouterStreamStats {
	readonly stream: StreamName;
	readonly publisherConnected: boolean;
	/** Of a publisher that can sleep: whether it was told to. */
	readonly asleep?: boolean;
	readonly videoCodec?: VideoCodec;
	readonly audioCodec?: AudioCodec;
	readonly width?: number;
	readonly height?: number;
	readonly frameRate?: number;
	/** Measured over the last seconds, all tags. */
	readonly bitrateBps: number;
	/** Tags taken from publishers since the stream began. */
	readonly tags: number;
	/** Absent until the first tag. */
	readonly lastTagAgeMs?: number;
	readonly subscribers: readonly RouterSubscriberStats[];
}

/** What the program is made of at the moment; `none` before its first key frame, and while the broadcast is not on air. */
export type ProgramSource = "none" | "composite" | "host" | "hold";

export interface RouterProgramStats {
	readonly source: ProgramSource;
	/** How long it has been that. */
	readonly sinceMs: number;
	/** Changes of source since the program began. */
	readonly switches: number;
	/** Time spent in hold, in all. */
	readonly heldMs: number;
}

export interface RouterStats {
	readonly streams: readonly RouterStreamStats[];
	readonly program: RouterProgramStats;
}

/** How the Router is to make the program. Replaced as a whole; kept in storage. */
export interface ProgramPlan {
	/** The program flows: the broadcast is live. */
	readonly onAir: boolean;
	/** Which of the two sources is wanted; the other one stands in for it where it can. */
	readonly prefers: "composite" | "host";
	/** The program's first picture is the composite's, not that of a host who stands in until there is one. */
	readonly beginsComposed?: boolean;
	readonly width: number;
	readonly height: number;
	/** A host with pictures out of order may be passed through. */
	readonly allowsBFrames: boolean;
	/** Compositors with a lower fence are refused, and closed when connected. */
	readonly minFence: number;
	/** Longest hold; after it {@link BroadcastRpc.holdExpired} is called. */
	readonly holdSeconds: number;
}

/**
 * Also answers `fetch` with a WebSocket: `/publish?stream=…[&fence=…][&ver=…]` and `/subscribe?stream=…[&ack=1][&egress=destinationId][&as=person][&ver=…]`, authorised by
 * the caller. An Egress that names itself is called (`resume`) when its subscription breaks, since only a call wakes an evicted object.
 */
export interface RouterRpc {
	/** Called at creation; twice is the same as once. */
	open(config: { readonly broadcastId: string }): Promise<void>;
	/** Takes effect at once. Twice is the same as once; refused by none, ignored after {@link end}. */
	plan(plan: ProgramPlan): Promise<void>;
	/** Closes every socket with `CLOSE.ended`; later publishers are refused with it too. Twice is the same as once. */
	end(reason: string): Promise<void>;
	stats(): Promise<RouterStats>;
	/**
	 * Closes, with `CLOSE.unauthorized`, what these people publish and whatever they subscribe to by older credentials than these; what comes by
	 * such later is refused too.
	 */
	disconnect(people: readonly TokenClaim[], reason: string): Promise<void>;
}

/**
 * Sent when a stream gains a publisher that has shown a key frame, when it loses its publisher or, for a compositor, its frames, and when what
 * is said of a live one changes.
 */
export interface StreamChange {
	readonly stream: StreamName;
	readonly state: "live" | "idle";
	readonly width?: number;
	readonly height?: number;
	/** Of the host's stream: why it cannot be passed through as the program; absent when it can. */
	readonly unfit?: string;
	/** Of a compositor's stream. */
	readonly fence?: number;
}

/** Sent when the program is made of something else from now on. */
export interface ProgramChange {
	readonly source: ProgramSource;
}

// --- Egress: one per destination, named `${broadcastId}/${destinationId}` ------------------------------------------------------

export interface EgressConfig {
	readonly broadcastId: string;
	readonly destinationId: string;
	readonly stream: StreamName;
	/** Opens to JSON `{url, streamKey?}`, which may hold a key anywhere: never logged, never answered, never stored open. */
	readonly sealedAddress: string;
	readonly via: DestinationRoute;
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	readonly videoBitrateBps: number;
	readonly audioBitrateBps: number;
}

export interface EgressRpc {
	/** Idempotent; kept in storage, so that publishing survives the object's eviction. */
	start(config: EgressConfig): Promise<void>;
	/** Final: FCUnpublish and deleteStream are sent. Idempotent. */
	stop(reason: string): Promise<void>;
	status(): Promise<EgressStatus>;
	/** Wakes an object that was lost, which goes on publishing; does nothing otherwise. */
	resume(): Promise<void>;
	/**
	 * Publishes two seconds of hold and reports, in 15 s at most. In an object of its own, named `${broadcastId}/test-${destinationId}`; one test
	 * at a time. (Not named `test`: workerd keeps that name for itself.)
	 */
	testDestination(config: EgressConfig): Promise<DestinationTestReport>;
	/** From the pool, of a destination that is published to from a runner. */
	runnerStatus(word: EgressRunnerWord): Promise<void>;
}

// --- CompositorPool: named "default" -------------------------------------------------------------------------------------------

export const DEFAULT_POOL_NAME = "default";

export interface LeaseRequest {
	readonly broadcastId: string;
	/** A `compositor` role token for that broadcast and fence. */
	readonly token: string;
	/** Rises with every lease of the broadcast. */
	readonly fence: number;
	/** Of the request that led to it, for the log. */
	readonly requestId?: string;
}

export type LeaseAnswer =
	| { readonly outcome: "assigned"; readonly leaseId: string }
	/** No free place now; `leaseChanged` with "assigned" follows when a runner has one. */
	| { readonly outcome: "waiting"; readonly leaseId: string }
	/** The queue of waiting requests is full. */
	| { readonly outcome: "refused"; readonly reason: string };

/** What the pool knows of a lease: "unknown" when it was lost, released or never asked for. */
export type LeaseStanding = "waiting" | "assigned" | "running" | "unknown";

export interface PoolStats {
	readonly runners: number;
	readonly capacity: number;
	readonly freePlaces: number;
	readonly leases: number;
	readonly waiting: number;
}

/** Also answers `fetch` with the runner socket at `/connect`, authorised by the caller. */
export interface CompositorPoolRpc {
	acquire(request: LeaseRequest): Promise<LeaseAnswer>;
	/** Of an assigned or a waiting request; unknown leases are ignored. */
	release(leaseId: string, reason: string): Promise<void>;
	standing(leaseId: string): Promise<LeaseStanding>;
	/** Hands the job to a runner. The same fence again is a renewal; a higher one takes the job from the runner that has it. */
	acquireEgress(job: EgressJob): Promise<EgressJobAnswer>;
	/** The destination is to be published to no longer: the runner says goodbye to it. Unknown jobs are ignored. */
	releaseEgress(job: EgressJobName): Promise<void>;
	stats(): Promise<PoolStats>;
}

export interface LeaseChange {
	readonly leaseId: string;
	readonly fence: number;
	readonly state: "assigned" | "running" | "lost" | "released";
	readonly reason: string;
}

// --- Broadcast: one per broadcast, named by its id -----------------------------------------------------------------------------

/** What fellow objects tell a Broadcast. It also answers `fetch` with the control socket at `/control`. */
export interface BroadcastRpc {
	streamChanged(change: StreamChange): Promise<void>;
	programChanged(change: ProgramChange): Promise<void>;
	/** The hold has lasted as long as it may: the broadcast is to end. */
	holdExpired(): Promise<void>;
	/** The Router's object was lost and is back: what hangs on it (egresses, the lease) is to be looked after. */
	routerRestarted(): Promise<void>;
	egressChanged(destinationId: string, status: EgressStatus): Promise<void>;
	leaseChanged(change: LeaseChange): Promise<void>;
}
