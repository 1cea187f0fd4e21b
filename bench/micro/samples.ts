import { audioFrameBody } from "../../media/flv/audio-body.ts";
import { type FlvTag, TAG_TYPE } from "../../media/flv/tag.ts";
import { videoFrameBody } from "../../media/flv/video-body.ts";
import { audioConfig, videoConfig } from "../../test/unit/worker-media/wsflv-fixtures.ts";
import { noise } from "../noise.ts";

/** A program of 30 pictures a second with a key frame each 2 s at about 1.6 Mb/s, and AAC sound at 48 kHz. */
export const PICTURE_BYTES = 6_000;
export const SOUND_BYTES = 340;
const FRAME_RATE = 30;
const GROUP_FRAMES = 60;
const SOUND_FRAME_MS = 1_024 / 48;

export const VIDEO_CONFIG = videoConfig(0);
export const AUDIO_CONFIG = audioConfig(0);

export interface SampleTag extends FlvTag {
	readonly keyFrame: boolean;
}

/** Tags without configurations in the order in which they are sent. */
export function programTags(fromMs: number, seconds: number): readonly SampleTag[] {
	const pictures = Array.from({ length: seconds * FRAME_RATE }, (_, index): SampleTag => {
		const keyFrame = index % GROUP_FRAMES === 0;
		const timestampMs = fromMs + Math.round((index * 1_000) / FRAME_RATE);
		return { type: TAG_TYPE.video, timestampMs, body: pictureBody(keyFrame), keyFrame };
	});
	const sounds = Array.from({ length: Math.floor((seconds * 1_000) / SOUND_FRAME_MS) }, (_, index): SampleTag => {
		const timestampMs = fromMs + Math.round(index * SOUND_FRAME_MS);
		return { type: TAG_TYPE.audio, timestampMs, body: audioFrameBody("aac", noise(SOUND_BYTES)), keyFrame: false };
	});
	return [...pictures, ...sounds].sort((a, b) => a.timestampMs - b.timestampMs);
}

/** One NAL unit of noise. */
export function pictureBody(keyFrame: boolean): Uint8Array {
	const data = noise(PICTURE_BYTES);
	new DataView(data.buffer).setUint32(0, PICTURE_BYTES - 4);
	data[4] = keyFrame ? 0x65 : 0x41; // nal_ref_idc and nal_unit_type: an IDR slice or another
	return videoFrameBody("avc", keyFrame, 0, data);
}

/** The same bytes cut in the middle of each message, so that none lies whole in a piece; one piece completes one message, the first none. */
export function piecesAcross(messages: readonly Uint8Array[]): readonly Uint8Array[] {
	const whole = Buffer.concat(messages);
	const pieces: Uint8Array[] = [];
	let [pieceAt, messageAt] = [0, 0];
	for (const { byteLength } of messages) {
		const middle = messageAt + Math.floor(byteLength / 2);
		pieces.push(whole.subarray(pieceAt, middle));
		pieceAt = middle;
		messageAt += byteLength;
	}
	return pieces;
}
