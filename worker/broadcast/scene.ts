import type { Scene } from "../protocol/control-messages.ts";
import { GUEST_IDS } from "../protocol/roles.ts";
import { AUDIO_BITRATE_BPS, type BroadcastRecord, KEY_FRAME_INTERVAL_S } from "./broadcast-record.ts";
import type { PersonRecord } from "./person-record.ts";

/** What a compositor is told to make. A host without a guest fills the picture, whatever layout is set for more. */
export function sceneOf(record: BroadcastRecord): Scene {
	const { expected, layout, labels, width, height, frameRate, videoBitrateBps } = record;
	const hasGuest = GUEST_IDS.some((guest) => expected.includes(guest));
	return {
		layout: hasGuest ? layout : "solo",
		labels,
		width,
		height,
		frameRate,
		videoBitrateBps,
		audioBitrateBps: AUDIO_BITRATE_BPS,
		keyFrameIntervalS: KEY_FRAME_INTERVAL_S,
		people: inOrder(record)
			.filter(({ admitted }) => admitted)
			.map(({ id, name, gain, muted }) => ({ id, name, gain: muted ? 0 : gain, expected: expected.includes(id) })),
	};
}

/** Those who were named first, first; the others as they always are. */
function inOrder({ people, order }: BroadcastRecord): readonly PersonRecord[] {
	const rank = ({ id }: PersonRecord) => (order.includes(id) ? order.indexOf(id) : order.length);
	return people.toSorted((a, b) => rank(a) - rank(b));
}
