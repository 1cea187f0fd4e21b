import { AAC_OBJECT_TYPE, writeAudioSpecificConfig } from "../media/aac/audio-specific-config.ts";
import { AAC_FRAME_SAMPLES, silentAacFrame } from "../media/aac/silence.ts";
import { type StillPictureFormat, stillPicture } from "../media/avc/still-picture.ts";
import { audioConfigBody, audioFrameBody } from "../media/flv/audio-body.ts";
import { type FlvTag, TAG_TYPE } from "../media/flv/tag.ts";
import { videoConfigBody, videoFrameBody } from "../media/flv/video-body.ts";

const SAMPLE_RATE = 48_000;
const CHANNELS = 2;
/** As in a program that is held: twice a second. */
const PICTURE_EVERY_MS = 500;

/** A black picture and silence, as FLV tags in order of time, beginning with the configurations at 0. */
export function holdTags(format: StillPictureFormat, durationMs: number): FlvTag[] {
	const picture = stillPicture(format);
	const audioConfig = writeAudioSpecificConfig({
		objectType: AAC_OBJECT_TYPE.lc,
		sampleRate: SAMPLE_RATE,
		channels: CHANNELS,
	});
	const silence = silentAacFrame(audioConfig);
	if (silence === undefined) {
		throw new Error("egress: expected silence for stereo AAC-LC, got none");
	}
	const tags: FlvTag[] = [
		{ type: TAG_TYPE.video, timestampMs: 0, body: videoConfigBody("avc", picture.config) },
		{ type: TAG_TYPE.audio, timestampMs: 0, body: audioConfigBody("aac", audioConfig) },
	];
	for (let index = 0; index * PICTURE_EVERY_MS < durationMs; index++) {
		const body = videoFrameBody("avc", true, 0, picture.sample(index % 2));
		tags.push({ type: TAG_TYPE.video, timestampMs: index * PICTURE_EVERY_MS, body });
	}
	const frameMs = (1_000 * AAC_FRAME_SAMPLES) / SAMPLE_RATE;
	for (let index = 0; index * frameMs < durationMs; index++) {
		const body = audioFrameBody("aac", silence);
		tags.push({ type: TAG_TYPE.audio, timestampMs: Math.round(index * frameMs), body });
	}
	return tags.sort((a, b) => a.timestampMs - b.timestampMs);
}
