import { STAND_INS, StandInFrames } from "../../../compositor-page/real-time/stand-in-frames.ts";
import type { VideoCodec } from "../../../media/encoded-frame.ts";

const STRINGS: Readonly<Record<VideoCodec, string>> = {
	avc: "avc1.42c01e",
	vp8: "vp8",
	vp9: "vp09.00.10.08",
	av1: "av01.0.00M.08",
};

export interface StandInsDecoded {
	readonly codec: string;
	readonly bytes: number;
	readonly pictures: readonly string[];
	readonly error: string;
}

/** Decodes `count` stand-ins of each codec in a row, as WebRTC's decoder would get them. */
export async function decodeStandIns(count: number): Promise<StandInsDecoded[]> {
	const standIns = new StandInFrames();
	const decoded: StandInsDecoded[] = [];
	for (const codec of Object.keys(STAND_INS) as VideoCodec[]) {
		const pictures: string[] = [];
		let error = "";
		let bytes = 0;
		const decoder = new VideoDecoder({
			output: (frame) => {
				pictures.push(`${frame.displayWidth}×${frame.displayHeight} at ${frame.timestamp}`);
				frame.close();
			},
			error: (reason) => {
				error = String(reason);
			},
		});
		decoder.configure({ codec: STRINGS[codec] });
		for (let index = 0; index < count; index += 1) {
			const data = standIns.next(codec);
			bytes = data.byteLength;
			decoder.decode(new EncodedVideoChunk({ type: "key", timestamp: index, data }));
		}
		await decoder.flush().catch((reason: unknown) => {
			error = String(reason);
		});
		decoded.push({ codec, bytes, pictures, error });
	}
	return decoded;
}
