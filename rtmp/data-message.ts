import { type FlvTag, TAG_TYPE } from "../media/flv/tag.ts";
import { EcmaArray, writeAmf0 } from "./amf0.ts";

/** How a publisher tells the server to keep the data that follows; it is not part of the data. */
const SET_DATA_FRAME = writeAmf0(["@setDataFrame"]);
const CLEAR_DATA_FRAME = writeAmf0(["@clearDataFrame"]);
const ON_META_DATA = writeAmf0(["onMetaData"]);

const FLV_CODEC_ID_AVC = 7;
const FLV_CODEC_ID_AAC = 10;
const AAC_SAMPLE_BITS = 16;

/** What `onMetaData` tells a server about a stream of H.264 and AAC. */
export interface StreamMetadata {
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	readonly videoBitrateBps: number;
	readonly audioBitrateBps: number;
	/** Default 48,000. */
	readonly audioSampleRate?: number;
	/** Default 2. */
	readonly audioChannels?: number;
	/** Default "Tandem". */
	readonly encoder?: string;
}

/** The body of an FLV script tag `onMetaData`, as an ECMA array (Adobe FLV 10.1 §E.5); rates in kilobits a second. */
export function metadataTagBody(metadata: StreamMetadata): Uint8Array {
	return writeAmf0([
		"onMetaData",
		new EcmaArray({
			duration: 0,
			width: metadata.width,
			height: metadata.height,
			framerate: metadata.frameRate,
			videodatarate: metadata.videoBitrateBps / 1000,
			videocodecid: FLV_CODEC_ID_AVC,
			audiodatarate: metadata.audioBitrateBps / 1000,
			audiosamplerate: metadata.audioSampleRate ?? 48_000,
			audiosamplesize: AAC_SAMPLE_BITS,
			stereo: (metadata.audioChannels ?? 2) > 1,
			audiocodecid: FLV_CODEC_ID_AAC,
			encoder: metadata.encoder ?? "Tandem",
		}),
	]);
}

/** The script tag that a data message carries, or `undefined` where it carries none (`@clearDataFrame`). */
export function scriptTag(timestampMs: number, payload: Uint8Array): FlvTag | undefined {
	if (startsWith(payload, CLEAR_DATA_FRAME)) {
		return undefined;
	}
	const body = startsWith(payload, SET_DATA_FRAME) ? payload.subarray(SET_DATA_FRAME.length) : payload;
	return { type: TAG_TYPE.script, timestampMs, body };
}

/** The payload of the data message for a script tag's body: metadata is said to be kept. */
export function dataPayload(body: Uint8Array): Uint8Array {
	if (!startsWith(body, ON_META_DATA)) {
		return body;
	}
	const payload = new Uint8Array(SET_DATA_FRAME.length + body.length);
	payload.set(SET_DATA_FRAME);
	payload.set(body, SET_DATA_FRAME.length);
	return payload;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
	return bytes.length >= prefix.length && prefix.every((byte, index) => byte === bytes[index]);
}
