import type { RouterStats, StreamChange } from "../protocol/object-rpc.ts";
import { MAIN_COMPOSITE_STREAM, PERSON_IDS, type PersonId, type StreamName } from "../protocol/roles.ts";
import type { BroadcastRecord } from "./broadcast-record.ts";
import { failed } from "./lease-phase.ts";
import { isLive } from "./presence.ts";

/** The record after the Router's word of a stream that came, changed or went. */
export function withStream(
	record: BroadcastRecord,
	change: StreamChange,
	nowMs: number,
	random: number,
): BroadcastRecord {
	switch (change.stream) {
		case "host":
			return withFitness(withPerson(record, "host", change.state, nowMs), change);
		case "guest":
		case "guest-2":
		case "guest-3":
		case "guest-4":
			return withPerson(record, change.stream, change.state, nowMs);
		case MAIN_COMPOSITE_STREAM:
			return change.state === "live"
				? withComposite(record, change.fence)
				: withoutComposite(record, change, nowMs, random);
		default:
			// What the splicer makes is told of by `programChanged`.
			return record;
	}
}

/** The record without those who publish no more, by the Router's figures. The same record when everyone does. */
export function withoutVanished(record: BroadcastRecord, stats: RouterStats, nowMs: number): BroadcastRecord {
	const connected = new Set(stats.streams.filter((each) => each.publisherConnected).map(({ stream }) => stream));
	const vanished = PERSON_IDS.filter((person) => record.liveStreams.includes(person) && !connected.has(person));
	return vanished.reduce((rest, stream) => withStream(rest, { stream, state: "idle" }, nowMs, 0), record);
}

function withPerson(
	record: BroadcastRecord,
	person: PersonId,
	state: StreamChange["state"],
	nowMs: number,
): BroadcastRecord {
	const { [person]: _, ...others } = record.leftAtMs;
	if (state === "live") {
		return { ...withLive(record, person), leftAtMs: others };
	}
	if (!record.liveStreams.includes(person)) {
		return record;
	}
	const after = { ...record, liveStreams: record.liveStreams.filter((stream) => stream !== person) };
	// Who is still in the call has only stopped sending by this way.
	return isLive(after, person) ? after : { ...after, leftAtMs: { ...others, [person]: nowMs } };
}

function withFitness(record: BroadcastRecord, { state, unfit }: StreamChange): BroadcastRecord {
	const { hostUnfit: _, ...rest } = record;
	return state === "live" && unfit !== undefined ? { ...rest, hostUnfit: unfit } : rest;
}

function withComposite(record: BroadcastRecord, fence = record.lease.fence): BroadcastRecord {
	return { ...withLive(record, MAIN_COMPOSITE_STREAM), compositeFence: fence };
}

/** Always a new list: whoever asked for figures before knows by it that there has been word since. */
function withLive(record: BroadcastRecord, stream: StreamName): BroadcastRecord {
	const { liveStreams } = record;
	return { ...record, liveStreams: liveStreams.includes(stream) ? [...liveStreams] : [...liveStreams, stream] };
}

/**
 * Frames, not processes, show that a compositor lives: when those of the current lease stop, it is lost. One that nobody wants any more is
 * given back instead, which is the pool's to hear.
 */
function withoutComposite(
	record: BroadcastRecord,
	{ fence = record.compositeFence }: StreamChange,
	nowMs: number,
	random: number,
): BroadcastRecord {
	const { lease, compositeFence, ...rest } = record;
	if (compositeFence !== undefined && fence !== undefined && fence < compositeFence) {
		// Of a compositor that has been replaced.
		return record;
	}
	const liveStreams = record.liveStreams.filter((stream) => stream !== MAIN_COMPOSITE_STREAM);
	const isHeld = lease.phase === "assigned" || lease.phase === "running";
	const isLost = isHeld && fence === lease.fence && lease.unwantedSinceMs === undefined;
	const reason = "broadcast: expected the compositor's frames at the Router, got none";
	return { ...rest, liveStreams, lease: isLost ? failed(lease, reason, nowMs, random) : lease };
}
