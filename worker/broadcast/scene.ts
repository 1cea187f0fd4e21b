import type { Scene } from "../protocol/control-messages.ts";
import { AUDIO_BITRATE_BPS, type BroadcastRecord, KEY_FRAME_INTERVAL_S } from "./broadcast-record.ts";

/** What a compositor is told to make. A host without a guest fills the picture, whatever layout is set for the two. */
export function sceneOf(record: BroadcastRecord): Scene {
	const { expected, layout, width, height, frameRate, videoBitrateBps, hostName, guestName } = record;
	return {
		layout: expected.includes("guest") ? layout : "solo",
		width,
		height,
		frameRate,
		videoBitrateBps,
		audioBitrateBps: AUDIO_BITRATE_BPS,
		keyFrameIntervalS: KEY_FRAME_INTERVAL_S,
		people: [
			{ id: "host", name: hostName, gain: 1, expected: expected.includes("host") },
			{ id: "guest", name: guestName, gain: 1, expected: expected.includes("guest") },
		],
	};
}
