import { done, type Outcome, refused } from "../protocol/problem.ts";

/** In the order a broadcast goes through them. */
export const BROADCAST_STATUSES = ["lobby", "live", "ended"] as const;
export type BroadcastStatus = (typeof BROADCAST_STATUSES)[number];

export type LifecycleCommand = "start" | "end" | "change" | "delete";

/**
 * The one place where a broadcast's status changes: what it becomes by a command, or why the command is refused. `start` and `end` are
 * idempotent: where they have nothing to do they answer the status unchanged. `change` stands for every command that alters what is or will
 * be on air; it never changes the status.
 */
export function statusAfter(status: BroadcastStatus, command: LifecycleCommand): Outcome<BroadcastStatus> {
	switch (command) {
		case "start":
			return status === "ended"
				? refused("broadcast-ended", "broadcast: expected one in the lobby to start, got one that has ended")
				: done("live");
		case "end":
			return done("ended");
		case "change":
			return status === "ended"
				? refused("broadcast-ended", "broadcast: expected one that has not ended, got one that has")
				: done(status);
		case "delete":
			return status === "live"
				? refused("already-live", "broadcast: expected one that is not live to delete, got one that is: end it first")
				: done(status);
	}
}
