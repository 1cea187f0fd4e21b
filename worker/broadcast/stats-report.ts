import type { BroadcastStats } from "../protocol/broadcast-commands.ts";
import type { EgressStatus, RouterStats } from "../protocol/object-rpc.ts";
import {
	type BroadcastRecord,
	type DestinationRecord,
	destinationView,
	shownDestinations,
} from "./broadcast-record.ts";
import type { ControlRoom } from "./control-room.ts";

export interface StatsPorts {
	routerStats(): Promise<RouterStats>;
	egressStatus(destinationId: string): Promise<EgressStatus>;
}

/** What every part of the broadcast reports now. A part that does not answer makes the whole fail: no figure is made up. */
export async function statsReport(
	record: BroadcastRecord,
	latest: ReturnType<ControlRoom["latestStats"]>,
	ports: StatsPorts,
	nowMs: number,
): Promise<BroadcastStats> {
	const [router, destinations] = await Promise.all([
		ports.routerStats(),
		Promise.all(shownDestinations(record).map((destination) => destinationStats(destination, ports))),
	]);
	return {
		status: record.status,
		layout: record.layout,
		sources: router.streams,
		compositor: {
			lease: record.lease.phase,
			fence: record.lease.fence,
			...(record.lease.lastFailure === undefined ? {} : { lastFailure: record.lease.lastFailure }),
			...(latest === undefined ? {} : { reported: { ageMs: nowMs - latest.atMs, stats: latest.stats } }),
		},
		destinations,
	};
}

async function destinationStats(
	destination: DestinationRecord,
	ports: StatsPorts,
): Promise<BroadcastStats["destinations"][number]> {
	const view = destinationView(destination);
	if (destination.egress === "idle") {
		return view;
	}
	const egress = await ports.egressStatus(destination.id);
	return { ...view, state: egress.state, egress };
}
