import { MalformedError } from "../../media/bytes/byte-reader.ts";
import type { AudioCodec, VideoCodec } from "../../media/encoded-frame.ts";
import { type FlvTag, TAG_TYPE } from "../../media/flv/tag.ts";
import { type TagKind, tagCodec, tagKind } from "../../media/flv/tag-kind.ts";
import { isFlvHeader, readSingleTag } from "../../media/flv/tag-reader.ts";
import { UnsupportedCodecError } from "../../media/flv/unsupported-codec-error.ts";
import { parseVideoBody } from "../../media/flv/video-body.ts";
import { MAX_MEDIA_MESSAGE_BYTES } from "../protocol/media-socket.ts";
import { MediaRefusedError } from "./media-sink.ts";

/** FLV header and PreviousTagSize0 (Adobe FLV 10.1 §E.2, §E.3). */
const FLV_PREAMBLE_BYTES = 13;
/** "F" of the header's signature: no tag type. */
const FLV_SIGNATURE_START = 0x46;

/** One message of a publisher, looked at but not copied. */
export interface PublishedTag {
	readonly tag: FlvTag;
	readonly kind: TagKind;
	readonly codec: VideoCodec | AudioCodec | undefined;
	/** Presentation less decoding time; 0 for all but pictures. */
	readonly compositionMs: number;
	/** The framed tag: what is sent on. Shares memory with the message that arrived. */
	readonly message: Uint8Array;
}

/**
 * Reads one WS-FLV message. The FLV header may come as a message of its own, in front of a tag, again, or never: it says nothing that the
 * tags do not. Returns `undefined` when the message was only that.
 *
 * @throws MediaRefusedError when the message is too large, is not exactly one FLV tag, or holds a codec that cannot go on air
 */
export function readPublishedMessage(data: ArrayBuffer | string): PublishedTag | undefined {
	if (typeof data === "string") {
		throw new MediaRefusedError("badMedia", "publisher: expected binary FLV messages, got text");
	}
	if (data.byteLength > MAX_MEDIA_MESSAGE_BYTES) {
		const message = `publisher: expected at most ${MAX_MEDIA_MESSAGE_BYTES} bytes a message, got ${data.byteLength}`;
		throw new MediaRefusedError("tooLarge", message);
	}
	const bytes = new Uint8Array(data);
	const message = afterFlvHeader(bytes);
	if (message.byteLength === 0 && bytes.byteLength > 0) {
		return undefined;
	}
	try {
		const tag = readSingleTag(message);
		return { tag, kind: tagKind(tag), codec: tagCodec(tag), compositionMs: compositionMsOf(tag), message };
	} catch (cause) {
		if (cause instanceof MalformedError || cause instanceof UnsupportedCodecError) {
			throw new MediaRefusedError("badMedia", cause.message, { cause });
		}
		throw cause;
	}
}

function compositionMsOf(tag: FlvTag): number {
	const body = tag.type === TAG_TYPE.video ? parseVideoBody(tag.body) : undefined;
	return body !== undefined && "compositionTimeMs" in body ? body.compositionTimeMs : 0;
}

function afterFlvHeader(bytes: Uint8Array): Uint8Array {
	const hasHeader = bytes[0] === FLV_SIGNATURE_START && isFlvHeader(bytes.subarray(0, FLV_PREAMBLE_BYTES));
	return hasHeader ? bytes.subarray(FLV_PREAMBLE_BYTES) : bytes;
}
