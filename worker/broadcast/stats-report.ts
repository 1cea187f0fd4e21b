import type { BroadcastStats } from "../protocol/broadcast-commands.ts";
import type { EgressStatus } from "../protocol/egress-status.ts";
import type { RouterStats } from "../protocol/object-rpc.ts";
import { type BroadcastRecord, type DestinationRecord, shownDestinations } from "./broadcast-record.ts";
import { destinationView } from "./broadcast-view.ts";
import { compositorInCall } from "./call-media.ts";
import type { ControlRoom } from "./control-room.ts";

/** A page that shows figures asks again every second: what takes longer is left out of this answer. */
export const STATS_TIMEOUT_MS = 2_000;

export interface StatsPorts {
	controlSockets(): number;
	/** As the audience's shards counted last. */
	viewers(): number;
	routerStats(): Promise<RouterStats>;
	egressStatus(destinationId: string): Promise<EgressStatus>;
	/** Resolves after that long, or never once `signal` is aborted. */
	delay(ms: number, signal: AbortSignal): Promise<void>;
}

/** What every part of the broadcast reports now. A part that does not answer in time is named, and none of its figures is made up. */
export async function statsReport(
	record: BroadcastRecord,
	latest: ReturnType<ControlRoom["latestStats"]>,
	ports: StatsPorts,
	nowMs: number,
): Promise<BroadcastStats> {
	const given = new AbortController();
	const timeUp = ports.delay(STATS_TIMEOUT_MS, given.signal).then(() => undefined);
	// A fellow object that fails has not answered either; why is in the log of whoever needs its answer for more than figures.
	const inTime = <T>(answer: Promise<T>) => Promise.race([answer.catch(() => undefined), timeUp]);
	const [router, destinations] = await Promise.all([
		inTime(ports.routerStats()),
		Promise.all(
			shownDestinations(record).map(async (destination) => {
				const asked = destination.egress !== "idle";
				return { destination, asked, egress: asked ? await inTime(ports.egressStatus(destination.id)) : undefined };
			}),
		),
	]);
	given.abort();
	const silent = destinations.filter(({ asked, egress }) => asked && egress === undefined);
	return {
		status: record.status,
		layout: record.layout,
		broadcast: {
			version: record.version,
			controlSockets: ports.controlSockets(),
			failedRounds: record.failedRounds,
		},
		viewers: ports.viewers(),
		sources: router?.streams ?? [],
		...(router?.program === undefined ? {} : { program: router.program }),
		call: record.call.map(({ person, leg, realTime, awaySinceMs }) => ({
			id: person,
			leg,
			realTime,
			atCompositor: compositorInCall(record)?.realTime.includes(person) ?? false,
			away: awaySinceMs !== undefined,
		})),
		unanswered: [...(router === undefined ? ["router"] : []), ...silent.map(({ destination }) => destination.id)],
		compositor: {
			lease: record.lease.phase,
			fence: record.lease.fence,
			...(record.lease.lastFailure === undefined ? {} : { lastFailure: record.lease.lastFailure }),
			...(latest === undefined ? {} : { reported: { ageMs: nowMs - latest.atMs, stats: latest.stats } }),
		},
		destinations: destinations.map(({ destination, egress }) => withEgress(destination, egress, record)),
	};
}

function withEgress(
	destination: DestinationRecord,
	egress: EgressStatus | undefined,
	record: BroadcastRecord,
): BroadcastStats["destinations"][number] {
	const view = destinationView(destination, record);
	return egress === undefined ? view : { ...view, state: egress.state, egress };
}
