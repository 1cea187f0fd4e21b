import type { EgressStatus } from "../protocol/egress-status.ts";

/** A program on its way to one destination, from here or from a runner, until stopped. */
export interface Publication {
	status(): EgressStatus;
	/** Time at the destination of what is made now; `undefined` before the first tag. */
	readonly timeMs: number | undefined;
	/** Whether the destination has held a session, now or earlier. */
	readonly held: boolean;
	/** Ends publishing for good, with a goodbye to the destination. Can be called twice; rejects when it could not be seen to. */
	stop(): Promise<void>;
}
