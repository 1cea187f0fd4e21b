import { ByteReader, MalformedError } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import type { VideoCodec } from "../encoded-frame.ts";
import { skipModEx, skipMultitrack } from "./extended-packet.ts";
import { fourCcText, UNSUPPORTED_NAME_BY_FOUR_CC, VIDEO_CODEC_BY_FOUR_CC, VIDEO_FOUR_CC } from "./four-cc.ts";
import { UnsupportedCodecError } from "./unsupported-codec-error.ts";

/** UB[1] isExHeader, UB[3] frame type, UB[4] codec id (classic) or packet type (Enhanced). */
const EX_HEADER = 0x80;
const FRAME_TYPE = { key: 1, inter: 2, disposable: 3, generatedKey: 4, command: 5 } as const;
const CODEC_ID_AVC = 7;
const AVC_PACKET = { config: 0, frame: 1, end: 2 } as const;
const EX_PACKET = {
	config: 0,
	frame: 1,
	end: 2,
	/** A frame whose composition time is 0 and left out. */
	frameX: 3,
	metadata: 4,
	mpeg2TsConfig: 5,
	multitrack: 6,
} as const;

const CLASSIC_CODEC_NAMES: ReadonlyMap<number, string> = new Map([
	[1, "JPEG"],
	[2, "Sorenson H.263"],
	[3, "Screen Video"],
	[4, "VP6"],
	[5, "VP6 with alpha"],
	[6, "Screen Video 2"],
	[8, "H.263"],
	[9, "MPEG-4 Part 2"],
	[12, "HEVC"], // never registered; some Chinese encoders and servers send it
	[13, "AV1"], // as above
]);

/** After the bytes of frame type and codec, and of packet type. */
const COMPOSITION_TIME_OFFSET = 2;
const LARGEST_COMPOSITION_TIME_MS = 0x7fffff;

/**
 * The body of a video tag: classic (Adobe FLV 10.1 §E.4.3) or Enhanced RTMP ("ExVideoTagHeader").
 *
 * `compositionTimeMs` is signed 24 bits, presentation minus decoding. `data` is a view of the body. A "skip" is well-formed but not for us:
 * multitrack, metadata, nothing at all.
 */
export type VideoBody =
	| { readonly kind: "video-config"; readonly codec: VideoCodec; readonly data: Uint8Array }
	| {
			readonly kind: "video-key" | "video-inter";
			readonly codec: VideoCodec;
			readonly compositionTimeMs: number;
			readonly data: Uint8Array;
	  }
	| { readonly kind: "video-end"; readonly codec: VideoCodec }
	| { readonly kind: "video-command" }
	| { readonly kind: "skip" };

/** Throws {@link MalformedError}, or {@link UnsupportedCodecError} naming the codec that came. Looks at the head only and copies nothing. */
export function parseVideoBody(body: Uint8Array): VideoBody {
	if (body.byteLength === 0) {
		return { kind: "skip" };
	}
	const reader = new ByteReader(body);
	const first = reader.u8();
	const frameType = (first >> 4) & 0x07;
	if (frameType < FRAME_TYPE.key || frameType > FRAME_TYPE.command) {
		throw new MalformedError(`flv: expected video frame type 1 to 5, got ${frameType}`);
	}
	return (first & EX_HEADER) === 0
		? parseClassic(reader, frameType, first & 0x0f)
		: parseExtended(reader, frameType, first & 0x0f);
}

function parseClassic(reader: ByteReader, frameType: number, codecId: number): VideoBody {
	if (frameType === FRAME_TYPE.command) {
		reader.u8(); // which command
		return { kind: "video-command" };
	}
	if (codecId !== CODEC_ID_AVC) {
		throw unsupportedVideo(`${CLASSIC_CODEC_NAMES.get(codecId) ?? "an unknown codec"} (codec id ${codecId})`);
	}
	const packetType = reader.u8();
	const compositionTimeMs = reader.i24();
	switch (packetType) {
		case AVC_PACKET.config:
			return { kind: "video-config", codec: "avc", data: reader.rest() };
		case AVC_PACKET.frame:
			return frame("avc", frameType, compositionTimeMs, reader.rest());
		case AVC_PACKET.end:
			return { kind: "video-end", codec: "avc" };
		default:
			throw new MalformedError(`flv: expected AVC packet type 0, 1 or 2, got ${packetType}`);
	}
}

function parseExtended(reader: ByteReader, frameType: number, firstPacketType: number): VideoBody {
	const packetType = skipModEx(reader, firstPacketType);
	if (frameType === FRAME_TYPE.command && packetType !== EX_PACKET.metadata) {
		reader.u8(); // which command
		return { kind: "video-command" };
	}
	if (packetType > EX_PACKET.multitrack) {
		throw new MalformedError(`flv: expected video packet type 0 to 7, got ${packetType}`);
	}
	if (packetType === EX_PACKET.multitrack) {
		skipMultitrack(reader);
		return { kind: "skip" };
	}
	const fourCc = reader.u32();
	const codec = VIDEO_CODEC_BY_FOUR_CC.get(fourCc);
	if (codec === undefined) {
		throw unsupportedVideo(`${UNSUPPORTED_NAME_BY_FOUR_CC.get(fourCc) ?? "an unknown codec"} (${fourCcText(fourCc)})`);
	}
	switch (packetType) {
		case EX_PACKET.config:
			return { kind: "video-config", codec, data: reader.rest() };
		case EX_PACKET.frame:
			return frame(codec, frameType, codec === "avc" ? reader.i24() : 0, reader.rest());
		case EX_PACKET.frameX:
			return frame(codec, frameType, 0, reader.rest());
		case EX_PACKET.end:
			return { kind: "video-end", codec };
		default:
			return { kind: "skip" }; // metadata, MPEG-2 TS descriptors
	}
}

function frame(codec: VideoCodec, frameType: number, compositionTimeMs: number, data: Uint8Array): VideoBody {
	if (data.byteLength === 0) {
		return { kind: "skip" };
	}
	const isKey = frameType === FRAME_TYPE.key || frameType === FRAME_TYPE.generatedKey;
	return { kind: isKey ? "video-key" : "video-inter", codec, compositionTimeMs, data };
}

function unsupportedVideo(got: string): UnsupportedCodecError {
	return new UnsupportedCodecError(`flv: expected H.264, VP8, VP9 or AV1 video, got ${got}`);
}

/** A sequence header: classic for AVC, Enhanced for the rest. */
export function videoConfigBody(codec: VideoCodec, config: Uint8Array): Uint8Array {
	return codec === "avc"
		? classicAvc(FRAME_TYPE.key, AVC_PACKET.config, 0, config)
		: extended(FRAME_TYPE.key, EX_PACKET.config, codec, config);
}

/**
 * A coded frame: classic for AVC, Enhanced for the rest, which have no composition time.
 *
 * Throws RangeError where the composition time does not fit 24 signed bits, or the codec has none and it is not 0.
 */
export function videoFrameBody(
	codec: VideoCodec,
	keyFrame: boolean,
	compositionTimeMs: number,
	data: Uint8Array,
): Uint8Array {
	const frameType = keyFrame ? FRAME_TYPE.key : FRAME_TYPE.inter;
	const limitMs = codec === "avc" ? LARGEST_COMPOSITION_TIME_MS : 0;
	if (Math.abs(compositionTimeMs) > limitMs) {
		throw new RangeError(
			`flv: expected a composition time within ${limitMs} ms for ${codec}, got ${compositionTimeMs}`,
		);
	}
	return codec === "avc"
		? classicAvc(frameType, AVC_PACKET.frame, compositionTimeMs, data)
		: extended(frameType, EX_PACKET.frame, codec, data);
}

/** Rewrites the composition time of a classic AVC frame in place; throws RangeError where it does not fit. */
export function setCompositionTime(body: Uint8Array, compositionTimeMs: number): void {
	if (Math.abs(compositionTimeMs) > LARGEST_COMPOSITION_TIME_MS) {
		throw new RangeError(
			`flv: expected a composition time within ${LARGEST_COMPOSITION_TIME_MS} ms, got ${compositionTimeMs}`,
		);
	}
	body.set(new ByteWriter(3).i24(compositionTimeMs).finish(), COMPOSITION_TIME_OFFSET);
}

/** The end of a coded sequence. */
export function videoEndBody(codec: VideoCodec): Uint8Array {
	const nothing = new Uint8Array(0);
	return codec === "avc"
		? classicAvc(FRAME_TYPE.key, AVC_PACKET.end, 0, nothing)
		: extended(FRAME_TYPE.key, EX_PACKET.end, codec, nothing);
}

function classicAvc(frameType: number, packetType: number, compositionTimeMs: number, data: Uint8Array): Uint8Array {
	return new ByteWriter(5 + data.byteLength)
		.u8((frameType << 4) | CODEC_ID_AVC) // UB[4] FrameType, UB[4] CodecID
		.u8(packetType) // AVCPacketType
		.i24(compositionTimeMs) // CompositionTime
		.bytes(data)
		.finish();
}

function extended(frameType: number, packetType: number, codec: VideoCodec, data: Uint8Array): Uint8Array {
	return new ByteWriter(5 + data.byteLength)
		.u8(EX_HEADER | (frameType << 4) | packetType) // UB[1] isExHeader, UB[3] FrameType, UB[4] PacketType
		.u32(VIDEO_FOUR_CC[codec])
		.bytes(data)
		.finish();
}
