import { withIdrPicId } from "../../../../media/avc/idr-pic-id.ts";
import { avccData, avccNalUnits, NAL_TYPE, nalUnitType } from "../../../../media/avc/nal-units.ts";
import { audioConfigBody, audioFrameBody } from "../../../../media/flv/audio-body.ts";
import { type FlvTag, TAG_TYPE } from "../../../../media/flv/tag.ts";
import { flvTagBytes, readSingleTag } from "../../../../media/flv/tag-writer.ts";
import { parseVideoBody, videoConfigBody, videoFrameBody } from "../../../../media/flv/video-body.ts";
import { wrapMs } from "../../../../media/timestamp.ts";
import type { ConfigTag, StreamConfigs, StreamTag } from "../../../../worker/router/stream-tag.ts";
import { IDR_PICTURES, type IdrPicture } from "../../media/idr-pictures.ts";
import { hex } from "../wsflv-fixtures.ts";

/** Size of the pictures in all samples. */
export const SAMPLE_SIZE = { width: 96, height: 80 } as const;

/** AudioSpecificConfig: AAC-LC, stereo. */
const ASC = { 48000: "1190", 44100: "1210" } as const;
export type SoundRate = keyof typeof ASC;

/** What one encoder sends: its configurations, and key frames that a decoder takes. */
export interface Encoder {
	readonly picture: IdrPicture;
	/** The same key frame with two ids, to be sent in turn. */
	readonly idrs: readonly [Uint8Array, Uint8Array];
	readonly videoConfig: FlvTag;
	readonly soundConfig: FlvTag;
	readonly configs: StreamConfigs;
}

export function encoder(sample: string, rate: SoundRate | undefined): Encoder {
	const picture = IDR_PICTURES.find(({ name }) => name === sample);
	if (picture === undefined) {
		throw new Error(`test: expected a sample picture, got ${sample}`);
	}
	const videoConfig = { type: TAG_TYPE.video, timestampMs: 0, body: videoConfigBody("avc", picture.record) };
	const asc = hex(ASC[rate ?? 48_000]);
	const soundConfig = { type: TAG_TYPE.audio, timestampMs: 0, body: audioConfigBody("aac", asc) };
	return {
		picture,
		idrs: [withIdrPicId(picture.sample, picture.config, 0), withIdrPicId(picture.sample, picture.config, 1)],
		videoConfig,
		soundConfig,
		configs: { video: configTag(videoConfig), ...(rate !== undefined && { audio: configTag(soundConfig) }) },
	};
}

export const HOST = encoder("x264-main", 44_100);
export const COMPOSITE = encoder("chromium-baseline", 48_000);

function configTag(tag: FlvTag): ConfigTag {
	const message = flvTagBytes(tag);
	return { message, body: readSingleTag(message).body };
}

export interface PictureShape {
	readonly timeMs: number;
	readonly keyFrame?: boolean;
	readonly compositionMs?: number;
	/** Told apart by it in the program. */
	readonly mark?: number;
	/** Which of the two ids a key frame has. */
	readonly idrPicId?: 0 | 1;
	readonly encoder?: Encoder;
	readonly epoch?: number;
	readonly showsHostMs?: number;
}

/** The tag of a picture as its publisher sends it. The mark is in an SEI, which no decoder minds. */
export function pictureTag(shape: PictureShape): FlvTag {
	const { timeMs, keyFrame = false, compositionMs = 0, mark = 0, idrPicId = 0, encoder: by = HOST } = shape;
	const sei = new Uint8Array([NAL_TYPE.sei, 5, 4, 0, 0, 0, 0, 0x80]);
	new DataView(sei.buffer).setUint32(3, mark);
	const rest = keyFrame ? [...avccNalUnits(by.idrs[idrPicId])] : [hex("4100")];
	const body = videoFrameBody("avc", keyFrame, compositionMs, avccData([sei, ...rest], 4));
	return { type: TAG_TYPE.video, timestampMs: wrapMs(timeMs), body };
}

export interface SoundShape {
	readonly timeMs: number;
	readonly mark?: number;
	readonly encoder?: Encoder;
	readonly epoch?: number;
}

export function soundTag({ timeMs, mark = 0 }: SoundShape): FlvTag {
	const data = new Uint8Array(9);
	data[0] = 0xff;
	new DataView(data.buffer).setUint32(1, mark);
	return { type: TAG_TYPE.audio, timestampMs: wrapMs(timeMs), body: audioFrameBody("aac", data) };
}

export function picture(shape: PictureShape): StreamTag {
	const { timeMs, compositionMs = 0, epoch = 1, keyFrame = false, encoder: by = HOST, showsHostMs } = shape;
	const message = flvTagBytes(pictureTag(shape));
	const shows = showsHostMs === undefined ? {} : { showsHostMs };
	return { track: "video", keyFrame, timeMs, compositionMs, message, configs: by.configs, epoch, ...shows };
}

export function sound(shape: SoundShape): StreamTag {
	const { timeMs, epoch = 1, encoder: by = HOST } = shape;
	const message = flvTagBytes(soundTag(shape));
	return { track: "audio", keyFrame: false, timeMs, compositionMs: 0, message, configs: by.configs, epoch };
}

/** What a tag was marked with when it was made; -1 for one the program made by itself. */
export function markOf(message: Uint8Array): number {
	const { type, body } = readSingleTag(message);
	if (type === TAG_TYPE.audio) {
		return body.byteLength === 11 && body[2] === 0xff
			? new DataView(body.buffer, body.byteOffset + 3).getUint32(0)
			: -1;
	}
	const video = parseVideoBody(body);
	const isFrame = video.kind === "video-key" || video.kind === "video-inter";
	for (const nal of isFrame ? avccNalUnits(video.data) : []) {
		if (nalUnitType(nal) === NAL_TYPE.sei) {
			return new DataView(nal.buffer, nal.byteOffset + 3).getUint32(0);
		}
	}
	return -1;
}
