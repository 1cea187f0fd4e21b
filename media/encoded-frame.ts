export type VideoCodec = "avc" | "vp8" | "vp9" | "av1";
export type AudioCodec = "aac" | "opus";

interface EncodedFrameTiming {
	/** Presentation time in microseconds on the source's own clock; may start anywhere, may be 0. */
	readonly ptsUs: number;
	/** Decode time in microseconds on the same clock; equals `ptsUs` where frames are not reordered. */
	readonly dtsUs: number;
}

/**
 * One encoded video frame. AVC data is length-prefixed NAL units (AVCC, 4-byte lengths).
 *
 * `config` is the codec's configuration record (AVC: `avcC`, ISO/IEC 14496-15 §5.3.3.1; AV1: `av1C`; VP8/VP9: `vpcC`)
 * where one arrives with this frame. A frame with empty `data` carries its configuration only.
 */
export interface EncodedVideoFrame extends EncodedFrameTiming {
	readonly track: "video";
	readonly codec: VideoCodec;
	readonly keyFrame: boolean;
	readonly data: Uint8Array;
	readonly config?: Uint8Array;
}

/**
 * One encoded audio frame. AAC data is raw (no ADTS).
 *
 * `config` is the AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1) or the OpusHead (RFC 7845 §5.1) where one arrives with
 * this frame. A frame with empty `data` carries its configuration only.
 */
export interface EncodedAudioFrame extends EncodedFrameTiming {
	readonly track: "audio";
	readonly codec: AudioCodec;
	readonly keyFrame: true;
	readonly data: Uint8Array;
	readonly config?: Uint8Array;
}

/** The unit that flows between all parts of Tandem; on every wire it is an FLV tag. */
export type EncodedFrame = EncodedVideoFrame | EncodedAudioFrame;
