import type { VideoCodec } from "../../media/encoded-frame.ts";

/** The smallest picture that every codec takes. */
const SIZE = 16;
const CODECS: Readonly<Record<VideoCodec, string>> = {
	avc: "avc1.42001f",
	vp8: "vp8",
	vp9: "vp09.00.10.08",
	av1: "av01.0.00M.08",
};

/**
 * One tiny key frame for each codec. WebRTC's own decoder gets it in the place of what was tapped: without anything it would ask the sender for a key
 * frame every 400 ms, and decoding everything twice is dear.
 */
export class StandInFrames {
	readonly #frames = new Map<VideoCodec, Uint8Array<ArrayBuffer>>();

	/** Makes them; a codec that this browser does not encode has none. */
	async make(): Promise<void> {
		await Promise.all(
			(Object.keys(CODECS) as VideoCodec[]).map(async (codec) => {
				const frame = await encodeOne(codec).catch(() => undefined);
				if (frame !== undefined) {
					this.#frames.set(codec, frame);
				}
			}),
		);
	}

	/** A copy, which may be given away. */
	of(codec: VideoCodec): ArrayBuffer | undefined {
		return this.#frames.get(codec)?.slice().buffer;
	}
}

async function encodeOne(codec: VideoCodec): Promise<Uint8Array<ArrayBuffer> | undefined> {
	const config: VideoEncoderConfig = {
		codec: CODECS[codec],
		width: SIZE,
		height: SIZE,
		...(codec === "avc" ? { avc: { format: "annexb" } } : {}),
	};
	if ((await VideoEncoder.isConfigSupported(config)).supported !== true) {
		return undefined;
	}
	let made: Uint8Array<ArrayBuffer> | undefined;
	const encoder = new VideoEncoder({
		output: (chunk) => {
			made = new Uint8Array(chunk.byteLength);
			chunk.copyTo(made);
		},
		error: () => undefined,
	});
	const picture = new VideoFrame(new Uint8Array((SIZE * SIZE * 3) / 2).fill(128), {
		format: "I420",
		codedWidth: SIZE,
		codedHeight: SIZE,
		timestamp: 0,
	});
	try {
		encoder.configure(config);
		encoder.encode(picture, { keyFrame: true });
		await encoder.flush();
	} finally {
		picture.close();
		if (encoder.state !== "closed") {
			encoder.close();
		}
	}
	return made;
}
