import type { ProgramPlan } from "../protocol/object-rpc.ts";
import { type BroadcastRecord, shownDestinations } from "./broadcast-record.ts";
import { compositorWanted } from "./compositor-wanted.ts";

/** How the Router is to make the program now. */
export function programPlan(record: BroadcastRecord, nowMs: number): ProgramPlan {
	const reason = compositorWanted(record, nowMs);
	return {
		onAir: record.status === "live",
		prefers: reason === undefined || reason === "warm" ? "host" : "composite",
		beginsComposed: record.alwaysCompose,
		width: record.width,
		height: record.height,
		allowsBFrames: shownDestinations(record).every(({ allowBFrames }) => allowBFrames),
		minFence: record.lease.fence,
		holdSeconds: record.holdSeconds,
	};
}

/** Whether the Router has said yes to exactly this plan. */
export function isAcknowledged(record: BroadcastRecord, plan: ProgramPlan): boolean {
	const known = record.acknowledgedPlan;
	return known !== undefined && (Object.keys(plan) as (keyof ProgramPlan)[]).every((key) => known[key] === plan[key]);
}
