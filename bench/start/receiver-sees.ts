import { TAG_TYPE } from "../../media/flv/tag.ts";
import { decodeReceived } from "../../test/support/faults/decode-received.ts";
import type { RecordingDestination } from "../../test/support/faults/recording-destination.ts";
import type { SeenFrame } from "../../test/support/faults/timeline.ts";
import { CODE_IDS, PROGRAM, TOGETHER } from "../latency/feeds.ts";
import { measuredPart } from "../latency/measured-part.ts";
import { firstKeyFrameOf } from "./first-together.ts";

/** So long the receiver goes on after the start, so that what is decoded does not end with its first picture. */
export const SHOWS_ON_MS = 1_500;

/**
 * The first key frame at the receiver that shows the guest beside the host. Throws where there is none.
 *
 * @param fromMs when the guest was admitted; left out where the receiver gets nothing before
 */
export async function firstTogether(receiver: RecordingDestination, fromMs?: number): Promise<SeenFrame> {
	const [session, ...others] = receiver.sessions;
	if (session === undefined || others.length > 0) {
		throw new Error(`start: expected one session at the receiver, got ${receiver.sessions.length}`);
	}
	const part =
		fromMs === undefined
			? { ...session, tags: session.tags.filter(({ type }) => type === TAG_TYPE.video) }
			: measuredPart(session, fromMs, Number.POSITIVE_INFINITY);
	const { frames } = await decodeReceived([part], { ...PROGRAM, places: TOGETHER, tonesHz: [] });
	const first = firstKeyFrameOf(frames, CODE_IDS.guest);
	if (first === undefined) {
		throw new Error("start: expected a key frame that shows the guest at the receiver, got none");
	}
	return first;
}
