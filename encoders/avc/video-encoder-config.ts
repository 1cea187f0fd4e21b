export interface VideoEncoderSettings {
	/** WebCodecs codec string, H.264 or VP8. */
	readonly codec: string;
	readonly width: number;
	readonly height: number;
	readonly frameRate: number;
	readonly bitrateBps: number;
}

/** What a live program asks of `VideoEncoder`: a constant bitrate, nothing held back, H.264 with its configuration apart from the frames. */
export function videoEncoderConfig(settings: VideoEncoderSettings): VideoEncoderConfig {
	const { codec, width, height, frameRate, bitrateBps } = settings;
	return {
		codec,
		width,
		height,
		framerate: frameRate,
		bitrate: bitrateBps,
		bitrateMode: "constant",
		latencyMode: "realtime",
		...(isAvc(codec) ? { avc: { format: "avc" } } : {}),
	};
}

export function isAvc(codec: string): boolean {
	return codec.startsWith("avc1");
}
