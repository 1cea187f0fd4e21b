import { MS_PER_SECOND } from "../../media/units.ts";
import { BROADCAST_STATUSES, type BroadcastStats } from "../protocol/broadcast-commands.ts";
import { type CompositorStats, type PersonStats, pictureStateSchema } from "../protocol/compositor-stats.ts";
import type { EgressStatus } from "../protocol/egress-status.ts";
import type { RouterProgramStats, RouterStreamStats } from "../protocol/object-rpc.ts";
import { BROADCAST_FAMILIES, type BroadcastFamily } from "./broadcast-families.ts";
import { FamilyTable } from "./family-table.ts";
import type { Labels, MetricFamily } from "./openmetrics.ts";

/** Of the mixer, which counts what it makes up in samples. */
const SAMPLE_RATE_HZ = 48_000;
const LEASE_PHASES = ["none", "requesting", "waiting", "assigned", "running", "retrying"] as const;
const PROGRAM_SOURCES = ["none", "composite", "host", "hold"] as const;
const DESTINATION_STATES = ["idle", "connecting", "live", "retrying", "refused", "stopped"] as const;

type Table = FamilyTable<BroadcastFamily>;

/** What one broadcast answered when it was asked for its figures; without `stats` when it did not. */
export interface BroadcastFigures {
	readonly id: string;
	readonly stats: BroadcastStats | undefined;
}

/** The figures of broadcasts, family by family. */
export function broadcastMetrics(broadcasts: readonly BroadcastFigures[]): MetricFamily[] {
	const table: Table = new FamilyTable(BROADCAST_FAMILIES);
	for (const { id, stats } of broadcasts) {
		const labels = { broadcast: id };
		if (stats === undefined) {
			table.add("tandem_scrape_unanswered", { ...labels, part: "broadcast" }, 1);
			continue;
		}
		addBroadcast(table, labels, stats);
	}
	return table.families();
}

function addBroadcast(table: Table, labels: Labels, stats: BroadcastStats): void {
	table.addState("tandem_broadcast_status", labels, BROADCAST_STATUSES, stats.status);
	table.add("tandem_viewers", labels, stats.viewers);
	table.add("tandem_control_sockets", labels, stats.broadcast.controlSockets);
	table.add("tandem_broadcast_failed_rounds", labels, stats.broadcast.failedRounds);
	for (const stream of stats.sources) {
		addStream(table, { ...labels, stream: stream.stream }, stream);
	}
	if (stats.program !== undefined) {
		addProgram(table, labels, stats.program);
	}
	const { lease, fence, reported } = stats.compositor;
	table.addState("tandem_lease_phase", labels, LEASE_PHASES, lease);
	table.add("tandem_lease_fence", labels, fence);
	if (reported !== undefined) {
		table.add("tandem_compositor_report_age_seconds", labels, seconds(reported.ageMs));
		addCompositor(table, labels, reported.stats);
	}
	for (const { id, state, egress } of stats.destinations) {
		const destination = { ...labels, destination: id };
		table.addState("tandem_destination_state", destination, DESTINATION_STATES, state);
		if (egress !== undefined) {
			addEgress(table, destination, egress);
		}
	}
	for (const part of stats.unanswered) {
		const which = part === "router" ? { part } : { part: "egress", destination: part };
		table.add("tandem_scrape_unanswered", { ...labels, ...which }, 1);
	}
}

function addStream(table: Table, labels: Labels, stream: RouterStreamStats): void {
	const { subscribers } = stream;
	table.add("tandem_stream_publisher_connected", labels, stream.publisherConnected);
	table.add("tandem_stream_asleep", labels, stream.asleep);
	table.add("tandem_stream_bitrate_bits", labels, stream.bitrateBps);
	table.add("tandem_stream_frame_rate", labels, stream.frameRate);
	table.add("tandem_stream_width_pixels", labels, stream.width);
	table.add("tandem_stream_height_pixels", labels, stream.height);
	table.add("tandem_stream_tags", labels, stream.tags);
	table.add("tandem_stream_silence_seconds", labels, seconds(stream.lastTagAgeMs));
	table.add("tandem_stream_subscribers", labels, subscribers.length);
	table.add("tandem_stream_ack_lag_seconds", labels, seconds(Math.max(0, ...subscribers.map((each) => each.ackLagMs))));
	table.add(
		"tandem_stream_skipped_tags",
		labels,
		subscribers.reduce((sum, each) => sum + each.skippedTags, 0),
	);
}

function addProgram(table: Table, labels: Labels, program: RouterProgramStats): void {
	table.addState("tandem_program_source", labels, PROGRAM_SOURCES, program.source);
	table.add("tandem_program_source_age_seconds", labels, seconds(program.sinceMs));
	table.add("tandem_program_switches", labels, program.switches);
	table.add("tandem_program_held_seconds", labels, seconds(program.heldMs));
}

function addCompositor(table: Table, labels: Labels, stats: CompositorStats): void {
	const { program, latencyMs, stagesMs } = stats;
	table.add("tandem_compositor_uptime_seconds", labels, seconds(stats.uptimeMs));
	table.add("tandem_composite_frames", labels, program.frames);
	table.add("tandem_composite_held_frames", labels, program.heldFrames);
	table.add("tandem_composite_dropped_frames", labels, program.droppedFrames);
	table.add("tandem_composite_key_frames", labels, program.keyFrames);
	table.add("tandem_composite_audio_frames", labels, program.audioFrames);
	table.add("tandem_composite_bitrate_bits", labels, program.videoBitrateBps);
	table.add("tandem_composite_target_bitrate_bits", labels, program.targetBitrateBps);
	table.add("tandem_composite_encode_queue_frames", labels, program.encodeQueue);
	table.add("tandem_composite_socket_queue_bytes", labels, program.socketQueueBytes);
	table.add("tandem_composite_av_skew_seconds", labels, seconds(stats.avSkewMs));
	addQuantiles(table, "tandem_composite_latency_seconds", labels, {
		p50: latencyMs.inputToEncodedP50,
		p95: latencyMs.inputToEncodedP95,
	});
	for (const [stage, durations] of Object.entries(stagesMs)) {
		addQuantiles(table, "tandem_stage_seconds", { ...labels, stage }, durations);
	}
	for (const person of stats.people) {
		addPerson(table, { ...labels, person: person.id }, person);
	}
}

function addPerson(table: Table, labels: Labels, person: PersonStats): void {
	table.add("tandem_person_connected", labels, person.connected);
	table.addState("tandem_person_picture", labels, pictureStateSchema.options, person.picture);
	table.add("tandem_person_video_frames", labels, person.videoIn);
	table.add("tandem_person_audio_frames", labels, person.audioIn);
	table.add("tandem_person_late_frames", labels, person.late);
	table.add("tandem_person_dropped_frames", labels, person.dropped);
	table.add("tandem_person_held_frames", labels, person.held);
	table.add("tandem_person_decode_errors", labels, person.decodeErrors);
	table.add("tandem_person_queue_seconds", labels, seconds(person.queueMs));
	table.add("tandem_person_delay_seconds", labels, seconds(person.delayMs));
	table.add("tandem_person_target_delay_seconds", labels, seconds(person.targetDelayMs));
	table.add("tandem_person_av_skew_seconds", labels, seconds(person.avSkewMs));
	table.add("tandem_person_concealed_seconds", labels, person.concealedSamples / SAMPLE_RATE_HZ);
}

function addEgress(table: Table, labels: Labels, egress: EgressStatus): void {
	table.add("tandem_destination_sent_bytes", labels, egress.bytes);
	table.add("tandem_destination_reconnects", labels, egress.reconnects);
	table.add("tandem_destination_dropped_tags", labels, egress.droppedTags);
	table.add("tandem_destination_queue_seconds", labels, seconds(egress.queueMs));
	table.add("tandem_destination_attempts", labels, egress.attempts);
}

function addQuantiles(
	table: Table,
	name: BroadcastFamily,
	labels: Labels,
	{ p50, p95 }: { readonly p50: number; readonly p95: number },
): void {
	table.add(name, { ...labels, quantile: "0.5" }, seconds(p50));
	table.add(name, { ...labels, quantile: "0.95" }, seconds(p95));
}

function seconds(ms: number): number;
function seconds(ms: number | undefined): number | undefined;
function seconds(ms: number | undefined): number | undefined {
	return ms === undefined ? undefined : ms / MS_PER_SECOND;
}
