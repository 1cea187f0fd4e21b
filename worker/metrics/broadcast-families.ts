import { described, type MetricDescription } from "./family-table.ts";

/** Figures of one broadcast. Labels are ids and fixed words only: titles and names would make a series of each, and tell who is on air. */
export const BROADCAST_FAMILIES = {
	tandem_broadcast_status: described("stateset", "Where the broadcast is in its life"),
	tandem_viewers: described("gauge", "People who wait or watch, as their shards counted last"),
	tandem_control_sockets: described("gauge", "Control sockets that the broadcast's object holds"),
	tandem_broadcast_failed_rounds: described("gauge", "Rounds of outstanding work in a row in which something failed"),

	tandem_stream_publisher_connected: described("gauge", "Whether the stream has a publisher"),
	tandem_stream_asleep: described(
		"gauge",
		"Whether a browser's stream pauses, since the compositor has the person by WebRTC",
	),
	tandem_stream_bitrate_bits: described("gauge", "Bits a second, measured over the last seconds"),
	tandem_stream_frame_rate: described("gauge", "Pictures a second, as measured"),
	tandem_stream_width_pixels: described("gauge", "Width of the picture"),
	tandem_stream_height_pixels: described("gauge", "Height of the picture"),
	tandem_stream_tags: described("counter", "Tags taken from publishers since the stream began"),
	tandem_stream_silence_seconds: described("gauge", "Time since the last tag", "seconds"),
	tandem_stream_subscribers: described("gauge", "Sockets that the Router sends the stream to"),
	tandem_stream_ack_lag_seconds: described(
		"gauge",
		"Longest wait for an acknowledgement, of those subscribed",
		"seconds",
	),
	tandem_stream_skipped_tags: described("gauge", "Tags not sent to those subscribed now, since they were too slow"),

	tandem_program_source: described("stateset", "What the program is made of"),
	tandem_program_source_age_seconds: described("gauge", "How long it has been that", "seconds"),
	tandem_program_switches: described("counter", "Changes of source since the program began"),
	tandem_program_held_seconds: described("counter", "Time in which the last picture was held", "seconds"),

	tandem_lease_phase: described("stateset", "Where the compositor's lease stands"),
	tandem_lease_fence: described("gauge", "Number of the newest lease"),
	tandem_compositor_report_age_seconds: described("gauge", "Age of the compositor's last figures", "seconds"),
	tandem_compositor_uptime_seconds: described("gauge", "Since the compositor's page began", "seconds"),
	tandem_composite_frames: described("counter", "Pictures composed"),
	tandem_composite_held_frames: described("counter", "Composed pictures without anything new on them that was due"),
	tandem_composite_dropped_frames: described(
		"counter",
		"Pictures never composed: encoder, network or guard could not take them",
	),
	tandem_composite_key_frames: described("counter", "Key frames among the pictures composed"),
	tandem_composite_audio_frames: described("counter", "Frames of sound mixed"),
	tandem_composite_bitrate_bits: described("gauge", "Bits of video a second, over the last second"),
	tandem_composite_target_bitrate_bits: described("gauge", "Bits a second that the encoder is asked for"),
	tandem_composite_encode_queue_frames: described("gauge", "Pictures waiting in the encoder"),
	tandem_composite_socket_queue_bytes: described("gauge", "Bytes waiting in the compositor's socket", "bytes"),
	tandem_composite_av_skew_seconds: described("gauge", "Sound minus picture; positive when sound is late", "seconds"),
	tandem_composite_latency_seconds: described("summary", "From a frame's arrival to its composite, encoded", "seconds"),
	tandem_stage_seconds: described("summary", "Time a stage of the compositor takes for a frame", "seconds"),

	tandem_person_connected: described("gauge", "Whether the compositor gets the person's media"),
	tandem_person_picture: described("stateset", "What is shown of the person"),
	tandem_person_video_frames: described("counter", "Pictures that arrived"),
	tandem_person_audio_frames: described("counter", "Frames of sound that arrived"),
	tandem_person_late_frames: described("counter", "Frames that arrived after they were due"),
	tandem_person_dropped_frames: described("counter", "Frames given up: past the ceiling, late, or not decodable"),
	tandem_person_held_frames: described("counter", "Composed pictures that showed the person's last one again"),
	tandem_person_decode_errors: described("counter", "Frames that could not be decoded"),
	tandem_person_queue_seconds: described("gauge", "Media waiting in the jitter buffer", "seconds"),
	tandem_person_delay_seconds: described("gauge", "Play-out delay", "seconds"),
	tandem_person_target_delay_seconds: described("gauge", "Where the play-out delay is heading", "seconds"),
	tandem_person_av_skew_seconds: described("gauge", "Sound minus picture; positive when sound is late", "seconds"),
	tandem_person_concealed_seconds: described("counter", "Sound made up because none had arrived", "seconds"),

	tandem_destination_state: described("stateset", "Where the destination stands"),
	tandem_destination_sent_bytes: described("counter", "Bytes sent", "bytes"),
	tandem_destination_reconnects: described("counter", "Times the line was mended"),
	tandem_destination_dropped_tags: described("counter", "Tags left out, since the destination was too slow"),
	tandem_destination_queue_seconds: described("gauge", "Media waiting to be sent", "seconds"),
	tandem_destination_attempts: described("gauge", "Attempts to connect since it last worked"),

	tandem_scrape_unanswered: described(
		"gauge",
		"1 for each part that did not answer in time, and whose figures are missing",
	),
} as const satisfies Readonly<Record<string, MetricDescription>>;

export type BroadcastFamily = keyof typeof BROADCAST_FAMILIES;
