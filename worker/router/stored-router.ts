import type { ProgramPlan } from "../protocol/object-rpc.ts";
import type { PersonId, StreamName } from "../protocol/roles.ts";

/** What survives eviction. Sockets and media do not: clients reconnect. */
export interface StoredRouter {
	readonly broadcastId: string;
	/** Why, once the broadcast has ended. */
	readonly ended?: string;
	/** Highest fence that has published the composite: a compositor with a lower one has been replaced. */
	readonly fence: number;
	/** Streams last reported live. */
	readonly live: readonly StreamName[];
	readonly plan?: ProgramPlan;
	/** Of people whose credentials were renewed: what counts now. */
	readonly credentials?: Readonly<Partial<Record<PersonId | "viewer", number>>>;
	/** When there began to be no source for the program; absent while there is one. */
	readonly sourceLostAtMs?: number;
}
