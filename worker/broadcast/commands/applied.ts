import type { GuestId } from "../../protocol/roles.ts";
import type { BroadcastRecord } from "../broadcast-record.ts";

/** What a command makes of a record; the same record where there is nothing to do. */
export interface Applied {
	readonly record: BroadcastRecord;
	/** The place an invite gave. */
	readonly personId?: GuestId;
	/** For which tokens are to be made. */
	readonly credentialsVersion?: number;
}
