import { ByteReader, MalformedError } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import type { AudioCodec } from "../encoded-frame.ts";
import { skipModEx, skipMultitrack } from "./extended-packet.ts";
import { AUDIO_CODEC_BY_FOUR_CC, AUDIO_FOUR_CC, fourCcText, UNSUPPORTED_NAME_BY_FOUR_CC } from "./four-cc.ts";
import { UnsupportedCodecError } from "./unsupported-codec-error.ts";

/** UB[4] sound format; then rate, size and type (classic) or the packet type (Enhanced). */
const SOUND_FORMAT_AAC = 10;
const SOUND_FORMAT_EX_HEADER = 9;
/** AAC always says 44 kHz, 16 bits, stereo here; the truth is in its AudioSpecificConfig (§E.4.2.1). */
const AAC_FIRST_BYTE = 0xaf;
const AAC_PACKET = { config: 0, frame: 1 } as const;
const EX_PACKET = { config: 0, frame: 1, end: 2, multichannelConfig: 4, multitrack: 5 } as const;

const CLASSIC_FORMAT_NAMES: ReadonlyMap<number, string> = new Map([
	[0, "PCM"],
	[1, "ADPCM"],
	[2, "MP3"],
	[3, "PCM"],
	[4, "Nellymoser"],
	[5, "Nellymoser"],
	[6, "Nellymoser"],
	[7, "G.711 A-law"],
	[8, "G.711 mu-law"],
	[11, "Speex"],
	[14, "MP3"],
	[15, "device-specific sound"],
]);

/**
 * The body of an audio tag: classic AAC (Adobe FLV 10.1 §E.4.2) or Enhanced RTMP ("ExAudioTagHeader").
 *
 * `data` is a view of the body. "audio-empty" is a tag or frame of length 0, which is silence.
 */
export type AudioBody =
	| { readonly kind: "audio-config"; readonly codec: AudioCodec; readonly data: Uint8Array }
	| { readonly kind: "audio"; readonly codec: AudioCodec; readonly data: Uint8Array }
	| { readonly kind: "audio-empty"; readonly codec?: AudioCodec }
	| { readonly kind: "skip" };

/** Throws {@link MalformedError}, or {@link UnsupportedCodecError} naming the codec that came. Looks at the head only and copies nothing. */
export function parseAudioBody(body: Uint8Array): AudioBody {
	if (body.byteLength === 0) {
		return { kind: "audio-empty" };
	}
	const reader = new ByteReader(body);
	const first = reader.u8();
	const format = first >> 4;
	if (format === SOUND_FORMAT_EX_HEADER) {
		return parseExtended(reader, first & 0x0f);
	}
	if (format !== SOUND_FORMAT_AAC) {
		throw unsupportedAudio(`${CLASSIC_FORMAT_NAMES.get(format) ?? "an unknown codec"} (sound format ${format})`);
	}
	const packetType = reader.u8();
	switch (packetType) {
		case AAC_PACKET.config:
			return { kind: "audio-config", codec: "aac", data: reader.rest() };
		case AAC_PACKET.frame:
			return frame("aac", reader.rest());
		default:
			throw new MalformedError(`flv: expected AAC packet type 0 or 1, got ${packetType}`);
	}
}

function parseExtended(reader: ByteReader, firstPacketType: number): AudioBody {
	const packetType = skipModEx(reader, firstPacketType);
	if (packetType === EX_PACKET.multitrack) {
		skipMultitrack(reader);
		return { kind: "skip" };
	}
	if (packetType > EX_PACKET.end && packetType !== EX_PACKET.multichannelConfig) {
		throw new MalformedError(`flv: expected audio packet type 0, 1, 2, 4, 5 or 7, got ${packetType}`);
	}
	const fourCc = reader.u32();
	const codec = AUDIO_CODEC_BY_FOUR_CC.get(fourCc);
	if (codec === undefined) {
		throw unsupportedAudio(`${UNSUPPORTED_NAME_BY_FOUR_CC.get(fourCc) ?? "an unknown codec"} (${fourCcText(fourCc)})`);
	}
	switch (packetType) {
		case EX_PACKET.config:
			return { kind: "audio-config", codec, data: reader.rest() };
		case EX_PACKET.frame:
			return frame(codec, reader.rest());
		default:
			return { kind: "skip" }; // end of sequence, channel order
	}
}

function frame(codec: AudioCodec, data: Uint8Array): AudioBody {
	return data.byteLength === 0 ? { kind: "audio-empty", codec } : { kind: "audio", codec, data };
}

function unsupportedAudio(got: string): UnsupportedCodecError {
	return new UnsupportedCodecError(`flv: expected AAC or Opus audio, got ${got}`);
}

/** A sequence header: classic for AAC, Enhanced for Opus. */
export function audioConfigBody(codec: AudioCodec, config: Uint8Array): Uint8Array {
	return codec === "aac" ? classicAac(AAC_PACKET.config, config) : extended(EX_PACKET.config, codec, config);
}

/** A coded frame: classic for AAC, Enhanced for Opus. */
export function audioFrameBody(codec: AudioCodec, data: Uint8Array): Uint8Array {
	return codec === "aac" ? classicAac(AAC_PACKET.frame, data) : extended(EX_PACKET.frame, codec, data);
}

function classicAac(packetType: number, data: Uint8Array): Uint8Array {
	return new ByteWriter(2 + data.byteLength)
		.u8(AAC_FIRST_BYTE) // UB[4] SoundFormat, UB[2] SoundRate, UB[1] SoundSize, UB[1] SoundType
		.u8(packetType) // AACPacketType
		.bytes(data)
		.finish();
}

function extended(packetType: number, codec: AudioCodec, data: Uint8Array): Uint8Array {
	return new ByteWriter(5 + data.byteLength)
		.u8((SOUND_FORMAT_EX_HEADER << 4) | packetType) // UB[4] SoundFormat, UB[4] PacketType
		.u32(AUDIO_FOUR_CC[codec])
		.bytes(data)
		.finish();
}
