import { withFourByteLengths } from "../avc/annex-b.ts";
import { parseAvcConfig, writeAvcConfig } from "../avc/avc-config.ts";
import type { NalLengthSize } from "../avc/nal-units.ts";
import type { EncodedFrame, VideoCodec } from "../encoded-frame.ts";
import { TimestampUnwrapper } from "../timestamp.ts";
import { msToUs } from "../units.ts";
import { parseAudioBody } from "./audio-body.ts";
import { type FlvTag, TAG_TYPE } from "./tag.ts";
import { parseVideoBody } from "./video-body.ts";

/**
 * Turns the tags of one stream into frames, with 32-bit milliseconds unwrapped to microseconds on one time line for both tracks.
 *
 * A sequence header gives a frame with `config` and empty `data`; scripts, commands, empty and skipped tags give none. AVC whose lengths
 * are not 4 bytes is rewritten, configuration and frames, so that it always has 4. Throws MalformedError or UnsupportedCodecError.
 */
export class FlvFrameReader {
	readonly #unwrapper = new TimestampUnwrapper();
	#avcLengthSize: NalLengthSize = 4;

	push(tag: FlvTag): EncodedFrame[] {
		switch (tag.type) {
			case TAG_TYPE.video:
				return this.#video(tag);
			case TAG_TYPE.audio:
				return this.#audio(tag);
			case TAG_TYPE.script:
				return []; // Its time is often 0 in mid-stream, so it must not move the time line.
		}
	}

	#video(tag: FlvTag): EncodedFrame[] {
		const body = parseVideoBody(tag.body);
		switch (body.kind) {
			case "video-config": {
				const config = this.#videoConfig(body.codec, body.data);
				const data = new Uint8Array(0);
				return [{ track: "video", codec: body.codec, keyFrame: true, data, config, ...this.#timing(tag, 0) }];
			}
			case "video-key":
			case "video-inter": {
				const data = body.codec === "avc" ? withFourByteLengths(body.data, this.#avcLengthSize) : body.data;
				const keyFrame = body.kind === "video-key";
				return [{ track: "video", codec: body.codec, keyFrame, data, ...this.#timing(tag, body.compositionTimeMs) }];
			}
			case "video-end":
			case "video-command":
			case "skip":
				return [];
		}
	}

	#audio(tag: FlvTag): EncodedFrame[] {
		const body = parseAudioBody(tag.body);
		switch (body.kind) {
			case "audio-config": {
				const data = new Uint8Array(0);
				const timing = this.#timing(tag, 0);
				return [{ track: "audio", codec: body.codec, keyFrame: true, data, config: body.data, ...timing }];
			}
			case "audio":
				return [{ track: "audio", codec: body.codec, keyFrame: true, data: body.data, ...this.#timing(tag, 0) }];
			case "audio-empty":
			case "skip":
				return [];
		}
	}

	#videoConfig(codec: VideoCodec, record: Uint8Array): Uint8Array {
		if (codec !== "avc") {
			return record;
		}
		const config = parseAvcConfig(record);
		this.#avcLengthSize = config.lengthSize;
		return config.lengthSize === 4 ? record : writeAvcConfig({ ...config, lengthSize: 4 });
	}

	#timing(tag: FlvTag, compositionTimeMs: number): { ptsUs: number; dtsUs: number } {
		const dtsMs = this.#unwrapper.unwrapMs(tag.timestampMs);
		return { ptsUs: msToUs(dtsMs + compositionTimeMs), dtsUs: msToUs(dtsMs) };
	}
}
