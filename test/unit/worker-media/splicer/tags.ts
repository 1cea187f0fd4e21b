import { audioFrameBody } from "../../../../media/flv/audio-body.ts";
import { TAG_TYPE } from "../../../../media/flv/tag.ts";
import { flvTagBytes, readSingleTag } from "../../../../media/flv/tag-writer.ts";
import { parseVideoBody, videoFrameBody } from "../../../../media/flv/video-body.ts";
import type { ConfigTag, StreamConfigs, StreamTag } from "../../../../worker/router/stream-tag.ts";
import { audioConfig, hex, videoConfig } from "../wsflv-fixtures.ts";

function configTag(tag: ReturnType<typeof videoConfig>): ConfigTag {
	return { message: flvTagBytes(tag), body: tag.body };
}

/** Configurations as two encoders send them. */
export const CONFIGS: Readonly<Record<"host" | "composite", StreamConfigs>> = {
	host: { video: configTag(videoConfig(0, "720p")), audio: configTag(audioConfig(0, "44k")) },
	composite: { video: configTag(videoConfig(0, "360p")), audio: configTag(audioConfig(0, "48k")) },
};

export interface TagShape {
	readonly timeMs: number;
	readonly configs?: StreamConfigs;
	readonly epoch?: number;
	/** Told apart by it in the program. */
	readonly mark?: number;
}

export function picture(
	shape: TagShape & { keyFrame?: boolean; compositionMs?: number; showsHostMs?: number },
): StreamTag {
	const {
		timeMs,
		configs = CONFIGS.host,
		epoch = 1,
		mark = 0,
		keyFrame = false,
		compositionMs = 0,
		showsHostMs,
	} = shape;
	const data = new Uint8Array(10);
	data.set(hex("00000006"));
	data[4] = keyFrame ? 0x65 : 0x41;
	new DataView(data.buffer).setUint32(5, mark);
	const body = videoFrameBody("avc", keyFrame, compositionMs, data);
	const message = flvTagBytes({ type: TAG_TYPE.video, timestampMs: timeMs, body });
	return {
		track: "video",
		keyFrame,
		timeMs,
		compositionMs,
		message,
		configs,
		epoch,
		...(showsHostMs !== undefined && { showsHostMs }),
	};
}

export function sound({ timeMs, configs = CONFIGS.host, epoch = 1, mark = 0 }: TagShape): StreamTag {
	const data = new Uint8Array(5);
	new DataView(data.buffer).setUint32(0, mark);
	const message = flvTagBytes({ type: TAG_TYPE.audio, timestampMs: timeMs, body: audioFrameBody("aac", data) });
	return { track: "audio", keyFrame: false, timeMs, compositionMs: 0, message, configs, epoch };
}

/** What a tag was marked with when it was made. */
export function markOf(tag: StreamTag): number {
	const { body } = readSingleTag(tag.message);
	if (tag.track === "audio") {
		return new DataView(body.buffer, body.byteOffset + 2).getUint32(0);
	}
	const video = parseVideoBody(body);
	return "data" in video ? new DataView(video.data.buffer, video.data.byteOffset + 5).getUint32(0) : -1;
}
