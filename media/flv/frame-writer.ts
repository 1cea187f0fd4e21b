import type { EncodedFrame } from "../encoded-frame.ts";
import { wrapMs } from "../timestamp.ts";
import { usToMs } from "../units.ts";
import { audioConfigBody, audioFrameBody } from "./audio-body.ts";
import { type FlvTag, TAG_TYPE } from "./tag.ts";
import { videoConfigBody, videoFrameBody } from "./video-body.ts";

/**
 * Turns frames into FLV tags: classic for H.264 and AAC, Enhanced RTMP's FourCC form for the rest. A configuration becomes a sequence
 * header before the frame; a frame without data gives its sequence header only. Time is rounded to milliseconds and wraps at 2^32.
 *
 * Throws RangeError where presentation and decoding time are further apart than the format can say.
 */
export class FlvFrameWriter {
	push(frame: EncodedFrame): FlvTag[] {
		const dtsMs = Math.round(usToMs(frame.dtsUs));
		const timestampMs = wrapMs(dtsMs);
		const tags: FlvTag[] = [];
		if (frame.track === "video") {
			if (frame.config !== undefined) {
				tags.push({ type: TAG_TYPE.video, timestampMs, body: videoConfigBody(frame.codec, frame.config) });
			}
			if (frame.data.byteLength > 0) {
				const compositionTimeMs = Math.round(usToMs(frame.ptsUs)) - dtsMs;
				const body = videoFrameBody(frame.codec, frame.keyFrame, compositionTimeMs, frame.data);
				tags.push({ type: TAG_TYPE.video, timestampMs, body });
			}
			return tags;
		}
		if (frame.config !== undefined) {
			tags.push({ type: TAG_TYPE.audio, timestampMs, body: audioConfigBody(frame.codec, frame.config) });
		}
		if (frame.data.byteLength > 0) {
			tags.push({ type: TAG_TYPE.audio, timestampMs, body: audioFrameBody(frame.codec, frame.data) });
		}
		return tags;
	}
}
