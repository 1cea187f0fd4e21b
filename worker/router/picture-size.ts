import { parseAvcConfig } from "../../media/avc/avc-config.ts";
import { parseSps } from "../../media/avc/sps.ts";
import { MalformedError } from "../../media/bytes/byte-reader.ts";
import type { AudioCodec, VideoCodec } from "../../media/encoded-frame.ts";
import type { FlvTag } from "../../media/flv/tag.ts";
import { parseVideoBody } from "../../media/flv/video-body.ts";
import { MediaRefusedError } from "./media-sink.ts";

export interface PictureSize {
	readonly width: number;
	readonly height: number;
}

/**
 * The size a video configuration tag says; `undefined` for codecs whose configuration does not say it.
 * @throws MediaRefusedError when the configuration cannot be decoded with
 */
export function pictureSizeOf(codec: VideoCodec | AudioCodec | undefined, tag: FlvTag): PictureSize | undefined {
	if (codec !== "avc") {
		return undefined;
	}
	try {
		const body = parseVideoBody(tag.body);
		const [sps] = body.kind === "video-config" ? parseAvcConfig(body.data).sps : [];
		if (sps === undefined) {
			throw new MalformedError("avc: expected a configuration with a sequence parameter set, got none");
		}
		const { width, height } = parseSps(sps);
		return { width, height };
	} catch (cause) {
		if (cause instanceof MalformedError) {
			throw new MediaRefusedError("badMedia", cause.message, { cause });
		}
		throw cause;
	}
}
