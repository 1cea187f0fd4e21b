import type { AudioCodec, VideoCodec } from "../encoded-frame.ts";
import { type AudioBody, parseAudioBody } from "./audio-body.ts";
import { type FlvTag, TAG_TYPE } from "./tag.ts";
import { parseVideoBody, type VideoBody } from "./video-body.ts";

/** What a tag is for. "skip" is recognised and to be ignored: multitrack, metadata packets, empty video. */
export type TagKind = VideoBody["kind"] | AudioBody["kind"] | "script";

/** Looks at the head of a tag, classic or Enhanced, and copies nothing. Throws MalformedError or UnsupportedCodecError. */
export function tagKind(tag: FlvTag): TagKind {
	switch (tag.type) {
		case TAG_TYPE.video:
			return parseVideoBody(tag.body).kind;
		case TAG_TYPE.audio:
			return parseAudioBody(tag.body).kind;
		case TAG_TYPE.script:
			return "script";
	}
}

/** The codec a tag names; undefined for scripts, commands and skipped tags. Throws MalformedError or UnsupportedCodecError. */
export function tagCodec(tag: FlvTag): VideoCodec | AudioCodec | undefined {
	switch (tag.type) {
		case TAG_TYPE.video:
			return codecOf(parseVideoBody(tag.body));
		case TAG_TYPE.audio:
			return codecOf(parseAudioBody(tag.body));
		case TAG_TYPE.script:
			return undefined;
	}
}

function codecOf(body: VideoBody | AudioBody): VideoCodec | AudioCodec | undefined {
	return "codec" in body ? body.codec : undefined;
}
