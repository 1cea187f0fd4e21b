import type { AudioCodec, VideoCodec } from "../encoded-frame.ts";

/** Four ASCII characters as the big-endian number they are on the wire (Enhanced RTMP, "FOURCC"). */
export function fourCc(text: string): number {
	return Array.from(text).reduce((value, character) => value * 0x100 + character.charCodeAt(0), 0);
}

/** A FourCC for an error message: its characters where they can be printed, else hexadecimal. */
export function fourCcText(value: number): string {
	const text = String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
	return /^[\x20-\x7e]{4}$/.test(text) ? text : `0x${value.toString(16).padStart(8, "0")}`;
}

export const VIDEO_FOUR_CC: Readonly<Record<VideoCodec, number>> = {
	avc: fourCc("avc1"),
	vp8: fourCc("vp08"),
	vp9: fourCc("vp09"),
	av1: fourCc("av01"),
};

export const AUDIO_FOUR_CC: Readonly<Record<AudioCodec, number>> = {
	aac: fourCc("mp4a"),
	opus: fourCc("Opus"),
};

export const VIDEO_CODEC_BY_FOUR_CC: ReadonlyMap<number, VideoCodec> = new Map([
	[VIDEO_FOUR_CC.avc, "avc"],
	[VIDEO_FOUR_CC.vp8, "vp8"],
	[VIDEO_FOUR_CC.vp9, "vp9"],
	[VIDEO_FOUR_CC.av1, "av1"],
]);

export const AUDIO_CODEC_BY_FOUR_CC: ReadonlyMap<number, AudioCodec> = new Map([
	[AUDIO_FOUR_CC.aac, "aac"],
	[AUDIO_FOUR_CC.opus, "opus"],
]);

/** What the codecs are called that Enhanced RTMP knows and Tandem does not take. */
export const UNSUPPORTED_NAME_BY_FOUR_CC: ReadonlyMap<number, string> = new Map([
	[fourCc("hvc1"), "HEVC"],
	[fourCc("vvc1"), "VVC"],
	[fourCc("ac-3"), "AC-3"],
	[fourCc("ec-3"), "E-AC-3"],
	[fourCc(".mp3"), "MP3"],
	[fourCc("fLaC"), "FLAC"],
]);
